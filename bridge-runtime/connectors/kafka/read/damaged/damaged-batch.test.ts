import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchFrom } from '../../../../../test/support/kafka-partition.ts'
import type { BridgeRecord, SourceBatch } from '../../../../core/contracts.ts'
import { BridgeError } from '../../../../core/errors.ts'
import { KafkaReader, type ReaderHost } from '../reader.ts'
import { stampBatch } from '../../protocol/record-batch.ts'
import { encodeBatch, sourcePrefix } from '../../protocol/record-encoder.ts'

interface Begun {
  readonly offset?: number
  readonly onDataGap?: 'Stop' | 'Continue'
  readonly maxBytes?: number
}

async function batch(offset: number, count: number): Promise<Buffer> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: null,
    value: Buffer.from(`${offset + index}`),
    headers: [],
    timestamp: 1,
    position: 0,
  }))
  const bytes = await encodeBatch(records, sourcePrefix('o'), 'None')
  bytes.writeBigInt64BE(BigInt(offset), 0)
  stampBatch(bytes, { producerId: -1n, epoch: -1, sequence: -1 })
  return bytes
}

/** A reader of a partition whose batches are in one file, one behind another. */
function partitionOf(
  batches: readonly { readonly bytes: Buffer }[],
  end: number,
  { offset = 0, onDataGap = 'Stop', maxBytes = 2 ** 20 }: Begun = {},
) {
  const commits: number[] = []
  const fetches: number[] = []
  const passed: string[] = []
  const host: ReaderHost = {
    want(reader) {
      fetches.push(reader.position)
      const bytes = Buffer.concat(batches.map((one) => one.bytes))
      void reader.accept(fetchFrom({ bytes, end, maxBytes: maxBytes + reader.extraBytes }, reader.position))
    },
    commit: (_, offset) => Promise.resolve(void commits.push(offset)),
    earliest: () => Promise.resolve(0),
    latest: () => Promise.resolve(end),
    passed: (_, gap) => void passed.push(gap),
    goOn: () => Promise.resolve(),
    topicId: () => 'id',
    findLeaders: () => Promise.resolve(),
    mayPrefetch: () => false,
    now: () => 0,
  }
  const reader = new KafkaReader(host, {
    at: { topic: 'orders', partition: 0 },
    epoch: 1,
    generation: 1,
    topicId: 'id',
    offset,
    onDataGap,
    readCommitted: true,
    maxMemory: 2 ** 20,
    field: 'spec.source.kafka',
  })
  return { reader, commits, fetches, passed }
}

const mostPolls = 1_000

/** Everything up to the end, and what polls rejected with. */
async function readTo(reader: KafkaReader, end: number) {
  const batches: SourceBatch[] = []
  const errors: BridgeError[] = []
  for (let polls = 0; Number(batches.at(-1)?.last ?? -1) < end - 1; polls += 1) {
    assert.ok(polls < mostPolls, `it ends, ${errors.at(-1)?.message}`)
    try {
      const polled = await reader.poll(new AbortController().signal)
      if (polled !== undefined) batches.push(polled)
    } catch (thrown) {
      assert.ok(thrown instanceof BridgeError)
      errors.push(thrown)
    }
  }
  return { records: batches.flatMap((one) => one.records()), errors, last: batches.at(-1) }
}

test('a batch that stays damaged is poison with its offset and bytes, and what is behind it is read', async () => {
  const damaged = await batch(100, 100)
  // The control flag: markers are left out without a word.
  damaged[22] = (damaged[22] ?? 0) ^ 0x20
  const parts = [
    { from: 0, bytes: await batch(0, 100) },
    { from: 100, bytes: damaged },
    { from: 200, bytes: await batch(200, 100) },
  ]
  const { reader, commits, fetches } = partitionOf(parts, 300)
  const { records, errors, last } = await readTo(reader, 300)
  assert.deepEqual([records.length, records[0]?.position, records.at(-1)?.position], [201, 0, 299])
  const poison = records.filter((record) => record.poison !== undefined)
  assert.deepEqual([poison.length, poison[0]?.position, poison[0]?.poison?.reason], [1, 100, 'CorruptBatch'])
  assert.ok(poison[0]?.value?.equals(damaged))
  assert.deepEqual(
    errors.map(({ kind, reason }) => [kind, reason]),
    [
      ['retryable', 'CorruptBatch'],
      ['retryable', 'CorruptBatch'],
    ],
  )
  assert.match(errors[0]?.message ?? '', /topic "orders" partition 0 offset 100: its checksum is wrong/)
  assert.deepEqual(fetches, [0, 100, 100, 200])
  assert.ok(reader.settlement.kind === 'watermark' && last !== undefined)
  await reader.settlement.commit({ position: 99, ended: false })
  await reader.settlement.commit({ position: 100, ended: false })
  await reader.settlement.commit({ position: last.last, ended: false })
  assert.deepEqual(commits, [100, 101, 300])
})

test('a batch that was damaged on its way only is fetched again and delivered', async () => {
  const good = await batch(0, 10)
  const damaged = Buffer.from(good)
  damaged[70] = (damaged[70] ?? 0) ^ 1
  const parts: { from: number; bytes: Buffer }[] = [{ from: 0, bytes: damaged }]
  const { reader } = partitionOf(parts, 10)
  await assert.rejects(reader.poll(new AbortController().signal), /checksum/)
  parts[0] = { from: 0, bytes: good }
  const { records, errors } = await readTo(reader, 10)
  assert.deepEqual([records.length, errors], [10, []])
})

test('a base offset that moved on the disk costs no record: the batch is poison, all others are read', async () => {
  for (const moved of [90, 150, 199, 250, 2 ** 40]) {
    const second = await batch(100, 100)
    second.writeBigInt64BE(BigInt(moved), 0)
    const parts = [
      { from: 0, bytes: await batch(0, 100) },
      { from: 100, bytes: second },
      { from: 200, bytes: await batch(200, 100) },
    ]
    const { reader } = partitionOf(parts, 300)
    const { records } = await readTo(reader, 300)
    const positions = records.filter(({ poison }) => poison === undefined).map(({ position }) => Number(position))
    const wanted = [...Array.from({ length: 100 }, (_, n) => n), ...Array.from({ length: 100 }, (_, n) => 200 + n)]
    assert.deepEqual(positions, wanted, `moved to ${moved}`)
    const [poison] = records.filter((record) => record.poison !== undefined)
    assert.ok(poison?.value?.equals(second))
    assert.equal(poison?.position, 100)
  }
})

const tens = (count: number): Promise<Buffer[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => batch(n * 10, 10)))
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)

/** Flips a bit of the header, counted from its first byte. */
function flip(bytes: Buffer, bit: number): Buffer {
  const damaged = Buffer.from(bytes)
  damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return damaged
}

const positionsOf = (records: readonly BridgeRecord[], poisoned = false): number[] =>
  records.filter(({ poison }) => (poison !== undefined) === poisoned).map(({ position }) => Number(position))

test('whichever bit of a base offset flips, each record of the other batches is read once and in order, in large answers and in small ones', async () => {
  const parts = await tens(12)
  const oneAndAHalf = Math.floor((parts[5]?.length ?? 0) * 1.5)
  for (const maxBytes of [2 ** 20, oneAndAHalf, 1])
    for (let bit = 0; bit < 64; bit += 1) {
      const damaged = flip(parts[5] ?? Buffer.alloc(0), bit)
      const { reader } = partitionOf(
        [...parts.slice(0, 5), damaged, ...parts.slice(6)].map((bytes) => ({ bytes })),
        120,
        { maxBytes },
      )
      const { records } = await readTo(reader, 120)
      assert.deepEqual(positionsOf(records), [...range(0, 50), ...range(60, 120)], `bit ${bit}, ${maxBytes} bytes`)
      const poison = records.filter((record) => record.poison !== undefined)
      // One that moved back is left out by the broker, unless an answer begins before it.
      if (maxBytes > oneAndAHalf)
        assert.deepEqual(
          poison.map(({ position }) => position),
          [50],
          `bit ${bit}`,
        )
      for (const { value } of poison) assert.ok(value?.equals(damaged))
    }
})

test('whichever bit of a length flips, each record of the other batches is read once and in order', async () => {
  const parts = await tens(12)
  for (const offset of [0, 50, 57, 60, 64])
    for (let bit = 64; bit < 96; bit += 1) {
      const damaged = flip(parts[5] ?? Buffer.alloc(0), bit)
      const { reader } = partitionOf(
        [...parts.slice(0, 5), damaged, ...parts.slice(6)].map((bytes) => ({ bytes })),
        120,
        { offset },
      )
      const { records } = await readTo(reader, 120)
      const wanted = [...range(0, 50), ...range(60, 120)].filter((position) => position >= offset)
      assert.deepEqual(positionsOf(records), wanted, `bit ${bit} from ${offset}`)
      assert.deepEqual(
        positionsOf(records, true),
        offset < 60 ? [offset === 0 ? 50 : offset] : [],
        `bit ${bit} from ${offset}`,
      )
    }
})

test('a damaged batch before the position is no record, though the broker gives it first', async () => {
  const parts = await tens(12)
  const bytes = Buffer.concat([...parts.slice(0, 5), flip(parts[5] ?? Buffer.alloc(0), 2), ...parts.slice(6)])
  for (const offset of [60, 65, 70, 83]) {
    const { reader } = partitionOf([{ bytes }], 120, { offset })
    const { records, errors } = await readTo(reader, 120)
    assert.deepEqual([positionsOf(records), positionsOf(records, true), errors], [range(offset, 120), [], []])
  }
})

const signOfLength = 71

for (const onDataGap of ['Stop', 'Continue'] as const)
  test(`where nothing can be read from the position on, and nothing is before it, it is a gap to the end: onDataGap ${onDataGap}`, async () => {
    const parts = await tens(3)
    const bytes = Buffer.concat([flip(parts[0] ?? Buffer.alloc(0), signOfLength), ...parts.slice(1)])
    const { reader, passed } = partitionOf([{ bytes }], 30, { onDataGap })
    const errors: unknown[] = []
    const polls = 100
    for (let n = 0; n < polls && passed.length === 0; n += 1)
      await reader.poll(new AbortController().signal).catch((error: unknown) => errors.push(error))
    const reasons = errors.map((error) => (error instanceof BridgeError ? error.reason : error))
    if (onDataGap === 'Stop') assert.equal(reasons.at(-1), 'DataGap')
    else assert.match(passed[0] ?? '', /from offset 0 to 29 cannot be read/)
    assert.deepEqual(reasons.slice(0, 2), ['CorruptBatch', 'CorruptBatch'])
  })

test('a broker that gives nothing for a while, as when it fetches from elsewhere, is no gap', async () => {
  const parts: { bytes: Buffer }[] = [{ bytes: Buffer.alloc(0) }]
  const { reader, passed } = partitionOf(parts, 10, { onDataGap: 'Continue' })
  const polls = 40
  for (let n = 0; n < polls; n += 1) assert.equal(await reader.poll(new AbortController().signal), undefined)
  parts[0] = { bytes: await batch(0, 10) }
  const { records, errors } = await readTo(reader, 10)
  assert.deepEqual([positionsOf(records), errors, passed], [range(0, 10), [], []])
})
