import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { KafkaReader, type ReaderHost } from './reader.ts'
import { stampBatch } from '../protocol/record-batch.ts'
import { encodeBatch, sourcePrefix } from '../protocol/record-encoder.ts'
import type { FetchedPartition } from '../protocol/wire.ts'

const at = { topic: 'orders', partition: 0 }

async function answer(values: readonly string[], errorCode = 0): Promise<FetchedPartition> {
  const records = values.map((value, position) => ({
    key: null,
    value: Buffer.from(value),
    headers: [],
    timestamp: 10,
    position,
  }))
  const batches = values.length === 0 ? Buffer.alloc(0) : await encodeBatch(records, sourcePrefix('o'), 'None')
  if (values.length > 0) stampBatch(batches, { producerId: -1n, epoch: 0, sequence: 0 })
  const end = values.length
  return { ...at, errorCode, highWatermark: end, lastStableOffset: end, logStartOffset: 0, aborted: [], batches }
}

/** A reader whose fetches are answered with what is told, in turn; then its topic is another one. */
function reading(onDataGap: 'Stop' | 'Continue', answers: readonly FetchedPartition[]) {
  const written: string[] = []
  const left = [...answers]
  let topicId = 'old'
  const host: ReaderHost = {
    want(reader) {
      const next = left.shift()
      if (next !== undefined) void reader.accept(next)
    },
    commit: async (reader, offset) => void written.push(`${reader.topicId} ${offset}`),
    goOn: async (_reader, id, offset) => void written.push(`goes on: ${id} ${offset}`),
    earliest: async () => 0,
    latest: async () => 0,
    passed: () => undefined,
    topicId: () => topicId,
    findLeaders: async () => undefined,
    mayPrefetch: () => false,
    now: () => 0,
  }
  const options = {
    at,
    epoch: 1,
    topicId: 'old',
    generation: 1,
    offset: 0,
    onDataGap,
    readCommitted: false,
    maxMemory: 2 ** 20,
    field: 'spec.source.kafka',
  }
  const reader = new KafkaReader(host, options)
  const settle = async (position: number): Promise<void> => {
    if (reader.settlement.kind === 'watermark') await reader.settlement.commit({ position, ended: false })
  }
  return { reader, settle, written, makeTopicAgain: () => void (topicId = 'new') }
}

const forever = new AbortController().signal

test('what is settled late is never a position behind a gap: going on waits until all of before is settled', async () => {
  const answers = [await answer(['a', 'b']), await answer(['new a', 'new b', 'new c']), await answer(['new a'])]
  const { reader, settle, written, makeTopicAgain } = reading('Continue', answers)
  await reader.poll(forever)
  await settle(0)
  makeTopicAgain()
  const polled = reader.poll(forever)
  await new Promise(setImmediate)
  assert.deepEqual(written, ['old 1'])
  await settle(1)
  assert.equal(await polled, undefined)
  assert.deepEqual(written, ['old 1', 'goes on: new 0'], 'nothing of the old topic is written over the new one')
  const batch = await reader.poll(forever)
  assert.deepEqual([batch?.first, batch?.count], [0, 1])
  await settle(0)
  assert.deepEqual(written.at(-1), 'new 1')
})

test('a partition that halts because its topic was made again keeps the position it has', async () => {
  const { reader, settle, written, makeTopicAgain } = reading('Stop', [await answer(['a', 'b']), await answer([])])
  await reader.poll(forever)
  await settle(0)
  makeTopicAgain()
  await assert.rejects(reader.poll(forever), { reason: 'DataGap' })
  await settle(1)
  assert.deepEqual(written, ['old 1'])
})

test('what was handed out and is done with is not held: its records may take a hundred times what was fetched', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { reader, settle } = reading('Stop', [await answer(['a', 'b'])])
  const seen = await (async () => {
    const batch = await reader.poll(forever)
    assert.ok(batch !== undefined)
    assert.equal(batch.records().length, 2)
    return new WeakRef(batch)
  })()
  await new Promise(setImmediate)
  collect()
  assert.equal(seen.deref(), undefined)
  await settle(1)
})
