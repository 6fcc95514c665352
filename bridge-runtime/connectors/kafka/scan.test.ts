import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Compression } from './compression.ts'
import { stampBatch } from './record-batch.ts'
import { DamagedBatch, type FetchBytes, scan } from './scan.ts'
import { encodeBatch, sourcePrefix } from './record-encoder.ts'

interface Shape {
  readonly offset: number
  readonly values: readonly string[]
  readonly producer?: bigint
  readonly kind?: 'transactional' | 'commit' | 'abort'
}

async function batch({ offset, values, producer = -1n, kind }: Shape): Promise<Buffer> {
  const key = kind === 'commit' ? Buffer.from([0, 0, 0, 1]) : kind === 'abort' ? Buffer.from([0, 0, 0, 0]) : null
  const records = values.map((value, position) => ({
    key,
    value: Buffer.from(value),
    headers: [],
    timestamp: 10,
    position,
  }))
  const bytes = await encodeBatch(records, sourcePrefix('o'), 'None')
  bytes.writeBigInt64BE(BigInt(offset), 0)
  if (kind !== undefined) bytes.writeInt16BE(kind === 'transactional' ? 0x10 : 0x30, 21)
  stampBatch(bytes, { producerId: producer, epoch: 0, sequence: 0 })
  return bytes
}

const fetched = (bytes: Buffer, from: number, more: Partial<FetchBytes> = {}): FetchBytes => ({
  bytes,
  from,
  aligned: false,
  end: Number.POSITIVE_INFINITY,
  aborted: [],
  maxMemory: 64 * 1024 * 1024,
  field: 'spec.source.kafka',
  ...more,
})
const valuesOf = (scanned: ReturnType<typeof scan>): string[] =>
  scanned.batches.flatMap((one) => one.records().map(({ value }) => String(value)))

test('small batches are handed out as one, at their offsets', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 5, values: ['a', 'b'] }),
    await batch({ offset: 7, values: ['c'] }),
  ])
  const { batches, next } = scan(fetched(bytes, 5))
  assert.equal(batches.length, 1)
  const [one] = batches
  assert.deepEqual([one?.count, one?.first, one?.last, next], [3, 5, 7, 8])
  assert.deepEqual(
    one?.records().map(({ position }) => position),
    [5, 6, 7],
  )
})

test('a start inside a batch leaves out what came before', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 5, values: ['a', 'b', 'c'] }),
    await batch({ offset: 8, values: ['d'] }),
  ])
  const scanned = scan(fetched(bytes, 7))
  assert.deepEqual(valuesOf(scanned), ['c', 'd'])
  assert.deepEqual(
    scanned.batches.map((one) => [one.first, one.count]),
    [
      [7, 1],
      [8, 1],
    ],
  )
})

test('records of aborted transactions and markers are left out and settled with what came before', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 0, values: ['open'], producer: 1n, kind: 'transactional' }),
    await batch({ offset: 1, values: ['gone'], producer: 2n, kind: 'transactional' }),
    await batch({ offset: 2, values: ['marker'], producer: 2n, kind: 'abort' }),
    await batch({ offset: 3, values: ['again'], producer: 2n, kind: 'transactional' }),
    await batch({ offset: 4, values: ['marker'], producer: 2n, kind: 'commit' }),
    await batch({ offset: 5, values: ['marker'], producer: 1n, kind: 'commit' }),
  ])
  const scanned = scan(fetched(bytes, 0, { aborted: [{ producerId: 2n, firstOffset: 1 }] }))
  assert.deepEqual(valuesOf(scanned), ['open', 'again'])
  assert.deepEqual(
    scanned.batches.map(({ end }) => end.next),
    [3, 6],
  )
  assert.equal(scanned.next, 6)
})

test('a damaged batch is an error behind the good ones before it', async () => {
  const damaged = await batch({ offset: 1, values: ['b'] })
  damaged[70] = (damaged[70] ?? 0) ^ 1
  const scanned = scan(fetched(Buffer.concat([await batch({ offset: 0, values: ['a'] }), damaged]), 0))
  assert.deepEqual(valuesOf(scanned), ['a'])
  assert.equal(scanned.next, 1)
  assert.ok(scanned.error instanceof Error)
})

test('a batch that the answer cut off is fetched again, wherever it was cut', async () => {
  const first = await batch({ offset: 0, values: ['a'] })
  const second = await batch({ offset: 1, values: ['b'] })
  const whole = Buffer.concat([first, second])
  fc.assert(
    fc.property(fc.integer({ min: first.length, max: whole.length - 1 }), (length) => {
      const scanned = scan(fetched(whole.subarray(0, length), 0))
      return scanned.next === 1 && scanned.batches.length === 1 && scanned.error === undefined
    }),
  )
})

for (const compression of ['None', 'Gzip', 'Snappy', 'LZ4', 'Zstd'] as const) {
  test(`a batch counts as what it takes when decoded, before it is: compression ${compression}`, async () => {
    const bytes = await large(compression, 50)
    const [one] = scan(fetched(bytes, 0)).batches
    assert.ok((one?.bytes ?? 0) >= 50_000, `${one?.bytes}`)
    assert.ok((one?.bytes ?? 0) <= 50_000 + 200_000, `${one?.bytes}`)
  })

  test(`a batch larger than the limit once decoded is one record of poison with its bytes: compression ${compression}`, async () => {
    const bytes = Buffer.concat([await large(compression, 3_000), await batch({ offset: 3_000, values: ['behind'] })])
    const { batches, next } = scan(fetched(bytes, 0, { maxMemory: 2 ** 20 }))
    const [poison, behind] = batches
    assert.deepEqual([batches.length, next], [2, 3_001])
    assert.deepEqual([poison?.first, poison?.last, poison?.end.next, poison?.count], [0, 2_999, 3_000, 1])
    const [record] = poison?.records() ?? []
    assert.equal(record?.poison?.kind, 'poison')
    assert.match(record.poison.message, /maxDecodedBytes is 1048576/)
    assert.ok(record.value?.equals(bytes.subarray(0, record.value.length)))
    assert.equal(behind?.records()[0]?.position, 3_000)
  })
}

async function large(compression: Compression, count: number): Promise<Buffer> {
  const records = Array.from({ length: count }, (_, position) => ({
    key: null,
    value: Buffer.alloc(1_000, 'a'),
    headers: [],
    timestamp: 1,
    position,
  }))
  const bytes = await encodeBatch(records, sourcePrefix('o'), compression)
  stampBatch(bytes, { producerId: -1n, epoch: -1, sequence: -1 })
  return bytes
}

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
  assert.deepEqual(damage(1, length), { offset: 14, aligned: false })
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
