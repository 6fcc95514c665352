import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stampBatch } from '../../protocol/record-batch.ts'
import { batch, fetched, large, valuesOf } from '../../../../../test/support/kafka-batches.ts'
import { DamagedBatch } from './damaged-batch.ts'
import { type FetchBytes, scan } from '../scan.ts'

/** Three batches of three records each; the positions are 10 to 18. */
const three = async (): Promise<readonly Buffer[]> =>
  Promise.all([10, 13, 16].map((offset) => batch({ offset, values: [`${offset}`, `${offset + 1}`, `${offset + 2}`] })))

test('whichever bit of a batch flips, no record of it and none behind it is skipped', async () => {
  const parts = await three()
  const start = parts[0]?.length ?? 0
  for (let bit = start * 8; bit < (start + (parts[1]?.length ?? 0)) * 8; bit += 1) {
    const bytes = Buffer.concat(parts)
    const byte = bit >> 3
    bytes[byte] = (bytes[byte] ?? 0) ^ (1 << (bit & 7))
    const scanned = scan(fetched(bytes, 10, { aligned: true, end: 19 }))
    const values = valuesOf(scanned)
    // The epoch of the partition's leader is not under the checksum, and nothing depends on it.
    const harmless = byte - start >= 12 && byte - start < 16
    if (harmless) assert.deepEqual([values.length, scanned.next, scanned.error], [9, 19, undefined])
    else assert.deepEqual([values, scanned.next], [['10', '11', '12'], 13], `bit ${bit & 7} of byte ${byte - start}`)
  }
})

test('a base offset that does not fit is never believed: behind the end, before the position, over its neighbour', async () => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = await three()
  const at = (bytes: Buffer, offset: number): Buffer => {
    const moved = Buffer.from(bytes)
    moved.writeBigInt64BE(BigInt(offset), 0)
    return moved
  }
  const found = (parts: readonly Buffer[], more: Partial<FetchBytes> = {}) => {
    const { next, error, batches } = scan(fetched(Buffer.concat(parts), 10, { aligned: true, end: 100, ...more }))
    return [next, error instanceof DamagedBatch, batches.reduce((sum, { count }) => sum + count, 0)]
  }
  assert.deepEqual(found([first, second, third]), [19, false, 9])
  assert.deepEqual(found([first, at(second, 1_000), third]), [13, true, 3])
  assert.deepEqual(found([first, at(second, 14), third]), [13, true, 3])
  assert.deepEqual(found([first, at(second, 9), third]), [13, true, 3])
  assert.deepEqual(found([at(first, 2), second, third]), [10, true, 0])
  // A hole at the end of an answer may be an untrue offset: asked again, the batch comes with the one behind it.
  assert.deepEqual(found([first, at(second, 50)]), [13, false, 3])
  assert.deepEqual(found([at(second, 50)], { from: 13 }), [53, false, 3])
  // Compaction makes holes.
  assert.deepEqual(found([first, at(second, 50), at(third, 53)]), [56, false, 9])
  // A start inside a batch, once.
  assert.deepEqual(found([first, second], { from: 11, aligned: false }), [16, false, 5])
  assert.deepEqual(found([first, second], { from: 11 }), [11, true, 0])
})

test('a damaged batch tells where to go on, and never behind a record that may be good', async () => {
  const parts = await three()
  const damage = (which: number, byte: number): DamagedBatch['resume'] | undefined => {
    const copies = parts.map((part) => Buffer.from(part))
    const chosen = copies[which]
    if (chosen !== undefined) chosen[byte] = (chosen[byte] ?? 0) ^ 0x80
    const { error } = scan(fetched(Buffer.concat(copies), 10, { aligned: true, end: 19 }))
    return error instanceof DamagedBatch ? error.resume : undefined
  }
  const valueByte = 75
  assert.deepEqual(damage(1, valueByte), { offset: 16, aligned: true })
  assert.deepEqual(damage(2, valueByte), { offset: 19, aligned: true })
  const [lastOffsetDelta, length] = [23, 8]
  assert.deepEqual(damage(2, lastOffsetDelta), { offset: 17, aligned: false })
  assert.deepEqual(damage(2, length), { offset: 17, aligned: false })
  // The batch behind it is found by its offset.
  assert.deepEqual(damage(1, length), { offset: 16, aligned: true })
})

test('whatever bytes come, the scan ends, and what it takes can be read or is poison', async () => {
  const whole = Buffer.concat(await three())
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 30 }), (changes) => {
      const bytes = Buffer.from(whole)
      for (const [at, byte] of changes) bytes[at] = byte
      const scanned = scan(fetched(bytes, 10, { end: 1_000 }))
      for (const one of scanned.batches) assert.equal(one.records().length, one.count)
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      scan(fetched(Buffer.from(bytes), 0))
    }),
  )
})

test('whatever a batch with a good checksum holds, each of its records is read or is poison', async () => {
  const compressions = ['None', 'Gzip', 'Snappy', 'LZ4', 'Zstd'] as const
  const originals = await Promise.all(compressions.map((compression) => large(compression, 20)))
  let broken = 0
  fc.assert(
    fc.property(
      fc.nat(4),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      (which, changes) => {
        const bytes = Buffer.from(originals[which] ?? Buffer.alloc(0))
        for (const [at, byte] of changes) if (61 + at < bytes.length) bytes[61 + at] = byte
        stampBatch(bytes, { producerId: -1n, epoch: -1, sequence: -1 })
        const { batches, next } = scan(fetched(bytes, 0))
        assert.equal(next, 20)
        for (const one of batches) {
          const records = one.records()
          assert.equal(records.length, one.count)
          const poison = records.filter((record) => record.poison !== undefined)
          if (poison.length > 0) broken += 1
          if (poison.length > 0) assert.ok(poison[0]?.value?.equals(bytes))
        }
      },
    ),
    { numRuns: 1_000 },
  )
  assert.ok(broken > 100)
  for (const [index, original] of originals.entries())
    assert.equal(valuesOf(scan(fetched(original, 0))).length, 20, `${compressions[index]} works behind it`)
})

test('a number of records that cannot be in a batch is poison, before a list is made for them', async () => {
  const bytes = await batch({ offset: 0, values: ['a'] })
  bytes.writeInt32BE(2 ** 31 - 1, 57)
  bytes.writeInt32BE(2 ** 31 - 2, 23)
  stampBatch(bytes, { producerId: -1n, epoch: -1, sequence: -1 })
  const [one] = scan(fetched(bytes, 0)).batches
  assert.equal(one?.count, 1)
  assert.match(one.records()[0]?.poison?.message ?? '', /2147483647 records cannot be in/)
})

test('a batch that says it has no records, or fewer than it holds, is poison with its bytes', async () => {
  for (const count of [0, 1]) {
    const bytes = await batch({ offset: 0, values: ['a', 'b'] })
    bytes.writeInt32BE(count, 57)
    stampBatch(bytes, { producerId: -1n, epoch: -1, sequence: -1 })
    const behind = await batch({ offset: 2, values: ['c'] })
    const { batches, next } = scan(fetched(Buffer.concat([bytes, behind]), 0))
    const records = batches.flatMap((one) => one.records())
    assert.deepEqual([records.length, next], [2, 3], `count ${count}`)
    assert.equal(records[0]?.poison?.reason, 'UnreadableRecord')
    assert.ok(records[0]?.value?.equals(bytes))
    assert.equal(String(records[1]?.value), 'c')
  }
})

test('what compaction leaves of a batch without records is no record', async () => {
  const empty = (await batch({ offset: 0, values: ['a', 'b'] })).subarray(0, 61)
  empty.writeInt32BE(61 - 12, 8)
  empty.writeInt32BE(0, 57)
  stampBatch(empty, { producerId: 7n, epoch: 0, sequence: 0 })
  const scanned = scan(fetched(Buffer.concat([empty, await batch({ offset: 2, values: ['c'] })]), 0))
  assert.deepEqual([valuesOf(scanned), scanned.next, scanned.error], [['c'], 3, undefined])
})

test('of two batches that contradict each other, the one that moved is set aside', async () => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = await Promise.all(
    [100, 103, 106].map((offset) => batch({ offset, values: ['a', 'b', 'c'] })),
  )
  const flipped = (bytes: Buffer, bit: number): Buffer => {
    const moved = Buffer.from(bytes)
    moved[7 - (bit >> 3)] = (moved[7 - (bit >> 3)] ?? 0) ^ (1 << (bit & 7))
    return moved
  }
  const at = (parts: readonly Buffer[], from: number): readonly (number | boolean)[] => {
    const { next, error } = scan(fetched(Buffer.concat(parts), from, { aligned: true, end: 200 }))
    return [next, error instanceof DamagedBatch]
  }
  // Behind a hole of 10 offsets the second batch moves back, onto the first or before it: the first is read.
  for (const bit of [1, 5, 6]) assert.deepEqual(at([first, flipped(second, bit), third], 90), [103, true], `bit ${bit}`)
  // The first one moves onto the second, or behind it.
  for (const bit of [0, 1, 3, 4, 40])
    assert.deepEqual(at([flipped(first, bit), second, third], 90), [90, true], `bit ${bit}`)
})
