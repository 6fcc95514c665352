import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceBatch } from '../../core/contracts.ts'
import { BridgeError } from '../../core/errors.ts'
import { KafkaReader, type ReaderHost } from './reader.ts'
import { stampBatch } from './record-batch.ts'
import { encodeBatch, sourcePrefix } from './record-encoder.ts'

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

/** A partition of a broker that answers with the batches from the one that holds the position on. */
function partitionOf(batches: readonly { readonly from: number; readonly bytes: Buffer }[], end: number) {
  const commits: number[] = []
  const fetches: number[] = []
  const host: ReaderHost = {
    want(reader) {
      fetches.push(reader.position)
      const at = batches.findLastIndex(({ from }) => from <= reader.position)
      void reader.accept({
        topic: 'orders',
        partition: 0,
        errorCode: 0,
        highWatermark: end,
        lastStableOffset: end,
        logStartOffset: 0,
        aborted: [],
        batches: Buffer.concat(batches.slice(at).map(({ bytes }) => bytes)),
      })
    },
    commit: (_, offset) => Promise.resolve(void commits.push(offset)),
    earliest: () => Promise.resolve(0),
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
    offset: 0,
    onDataGap: 'Stop',
    readCommitted: true,
    maxMemory: 2 ** 20,
    field: 'spec.source.kafka',
  })
  return { reader, commits, fetches }
}

/** Everything up to the end, and what polls rejected with. */
async function readTo(reader: KafkaReader, end: number) {
  const batches: SourceBatch[] = []
  const errors: BridgeError[] = []
  while (Number(batches.at(-1)?.last ?? -1) < end - 1) {
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
