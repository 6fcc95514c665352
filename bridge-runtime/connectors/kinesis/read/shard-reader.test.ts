import assert from 'node:assert/strict'
import test from 'node:test'
import { type FakeClock, fakeClock } from '../../../../test/support/fake-clock.ts'
import {
  type FakeKinesis,
  fakeKinesis,
  sequence,
  shardName,
} from '../../../../test/support/kinesis-fake/fake-kinesis.ts'
import { ownershipOf } from '../../../../test/support/leases/ownership.ts'
import type { SourceBatch } from '../../../core/contracts.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { Checkpoint } from '../../../lease-stores/lease-store.ts'
import { streamLook, streamOf } from '../shards/identity.ts'
import { pageOf } from '../protocol.ts'
import { ShardReader } from './shard-reader.ts'

const never = new AbortController().signal

function reading(position?: string, onDataGap: 'Stop' | 'Continue' = 'Stop', maxRecords = 10) {
  const api = fakeKinesis()
  const clock = fakeClock()
  const commits: unknown[] = []
  const looks: unknown[] = []
  const checkpoint: Checkpoint = { position, ended: false }
  const ownership = ownershipOf(shardName, {
    checkpoint,
    stream: streamOf(api, { status: 'ACTIVE', arn: 'arn:orders', created: new Date(0), at: 0 }),
    lookAgain: () => void looks.push('lookAgain'),
    commit: async (progress) => void commits.push(progress),
  })
  const options = {
    api,
    identify: streamLook(api, clock),
    interval: 1_000,
    maxRecords,
    onDataGap,
    clock,
    random: () => 1,
  }
  return { api, clock, commits, looks, reader: new ShardReader(ownership, options) }
}

const fill = (api: FakeKinesis, count: number): void => {
  for (let index = 0; index < count; index += 1) api.stored.push({ key: `k${index}`, data: `v${index}` })
}

/** Polls with time going on. */
async function poll(reader: ShardReader, clock: FakeClock): Promise<SourceBatch | 'end' | undefined> {
  const polling = { over: false }
  const polled = reader.poll(never).finally(() => {
    polling.over = true
  })
  polled.catch(() => undefined)
  while (!polling.over) await clock.advance(50)
  return await polled
}

const positions = (batch: SourceBatch | 'end' | undefined): unknown[] =>
  typeof batch === 'object' ? batch.records().map(({ position }) => position) : [batch]

const rejection =
  (kind: string, reason: string) =>
  (thrown: unknown): boolean =>
    thrown instanceof BridgeError && thrown.kind === kind && thrown.reason === reason

test('a closed shard is read to its last record before it ends', async () => {
  const { api, clock, reader } = reading()
  fill(api, 12)
  api.closed = true
  assert.equal(positions(await poll(reader, clock)).length, 10)
  assert.deepEqual(positions(await poll(reader, clock)), [sequence(10), sequence(11)])
  assert.equal(await poll(reader, clock), 'end')
  assert.equal(await poll(reader, clock), 'end')
})

test('records carry key, value, position and time of arrival', async () => {
  const { api, clock, reader } = reading()
  fill(api, 1)
  const batch = await poll(reader, clock)
  assert.ok(typeof batch === 'object')
  assert.deepEqual(batch.records(), [
    { key: Buffer.from('k0'), value: Buffer.from('v0'), headers: [], timestamp: 0, position: sequence(0) },
  ])
})

test('a reader goes on behind its checkpoint', async () => {
  const { api, clock, reader } = reading(sequence(4))
  fill(api, 6)
  assert.deepEqual(positions(await poll(reader, clock)), [sequence(5)])
})

test('an expired iterator is replaced by one behind the last record read, not the last committed', async () => {
  const { api, clock, reader } = reading()
  fill(api, 10)
  await poll(reader, clock)
  fill(api, 1)
  api.failures.set('records', [{ name: 'ExpiredIteratorException', message: 'expired' }])
  assert.equal(await poll(reader, clock), undefined)
  assert.deepEqual(positions(await poll(reader, clock)), [sequence(10)])
  assert.deepEqual(api.positions.at(-1), { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: sequence(9) })
})

test('an empty page is no end: the reader asks again', async () => {
  const { api, clock, reader } = reading()
  assert.equal(await poll(reader, clock), undefined)
  fill(api, 1)
  assert.deepEqual(positions(await poll(reader, clock)), [sequence(0)])
})

test('a shard that is behind is read five times a second, one that is caught up at the interval', async () => {
  const { api, clock, reader } = reading()
  fill(api, 50)
  const began = clock.monotonic()
  for (let page = 0; page < 5; page += 1) await poll(reader, clock)
  const busy = clock.monotonic() - began
  assert.ok(busy >= 800 && busy < 1_100, `five pages took ${busy} ms`)
  await poll(reader, clock)
  const idle = clock.monotonic()
  await poll(reader, clock)
  assert.ok(clock.monotonic() - idle >= 1_000)
})

test('large records are read in smaller pages, so that a replica of many shards has room for them', async () => {
  const { api, clock, reader } = reading(undefined, 'Stop', 10_000)
  for (let index = 0; index < 300; index += 1) api.stored.push({ key: `k${index}`, data: 'x'.repeat(20_000) })
  assert.equal(positions(await poll(reader, clock)).length, 100)
  assert.equal(positions(await poll(reader, clock)).length, 104)
})

test('throttled reads are repeated later and later, and reported only when they go on', async () => {
  const { api, clock, reader } = reading()
  const failure = { name: 'ProvisionedThroughputExceededException', message: 'rate exceeded' }
  api.failures.set('records', [failure, failure, failure, failure])
  fill(api, 1)
  for (let attempt = 0; attempt < 3; attempt += 1) assert.equal(await poll(reader, clock), undefined)
  const before = clock.monotonic()
  await assert.rejects(poll(reader, clock), rejection('retryable', 'Throttled'))
  assert.deepEqual(positions(await poll(reader, clock)), [sequence(0)])
  assert.ok(clock.monotonic() - before > 3_000)
})

const notFound = { name: 'ResourceNotFoundException', message: 'not found' }

test('a shard that expired before it was read to its end is a gap, and with Continue it ends', async () => {
  const stop = reading(sequence(3))
  stop.api.gone = true
  stop.api.failures.set('iterator', [notFound])
  await assert.rejects(poll(stop.reader, stop.clock), rejection('fatal', 'DataGap'))
  const go = reading(sequence(3), 'Continue')
  go.api.gone = true
  go.api.failures.set('iterator', [notFound])
  assert.equal(await poll(go.reader, go.clock), 'end')
})

test('a shard that expired before it was begun ends', async () => {
  const { api, clock, reader } = reading()
  api.gone = true
  api.failures.set('iterator', [notFound])
  assert.equal(await poll(reader, clock), 'end')
})

test('a position the stream does not know is a gap, and with Continue the reader begins at the earliest record', async () => {
  for (const failure of [notFound, { name: 'InvalidArgumentException', message: 'did not come from this stream' }]) {
    const stop = reading(sequence(3))
    stop.api.failures.set('iterator', [failure])
    await assert.rejects(poll(stop.reader, stop.clock), rejection('fatal', 'DataGap'))
    const go = reading(sequence(3), 'Continue')
    fill(go.api, 2)
    go.api.failures.set('iterator', [failure])
    assert.equal(await poll(go.reader, go.clock), undefined)
    assert.deepEqual(positions(await poll(go.reader, go.clock)), [sequence(0), sequence(1)])
  }
})

test('a missing stream is reported, not taken for the end of its shards', async () => {
  const { api, clock, reader } = reading(sequence(3))
  api.failures.set('iterator', [notFound])
  api.failures.set('shards', [notFound])
  await assert.rejects(poll(reader, clock), rejection('fatal', 'StreamNotFound'))
})

test('a poll that is aborted takes nothing', async () => {
  const { api, clock, reader } = reading()
  const stop = new AbortController()
  await poll(reader, clock)
  fill(api, 1)
  const polled = reader.poll(stop.signal)
  stop.abort()
  assert.equal(await polled, undefined)
  assert.deepEqual(positions(await poll(reader, clock)), [sequence(0)])
})

test('lag reaches from the last committed record to the end of the shard', async () => {
  const { api, clock, reader } = reading()
  assert.equal(reader.lag().kind, 'unknown')
  fill(api, 30)
  await poll(reader, clock)
  assert.ok(reader.settlement.kind === 'watermark')
  const seconds = (): number => {
    const lag = reader.lag()
    return Math.round(lag.kind === 'known' ? (lag.seconds ?? -1) : -1)
  }
  assert.equal(seconds(), 29)
  await reader.settlement.commit({ position: sequence(9), ended: false })
  assert.equal(seconds(), 20)
  await poll(reader, clock)
  await poll(reader, clock)
  await poll(reader, clock)
  assert.equal(seconds(), 20)
  await reader.settlement.commit({ position: sequence(29), ended: false })
  assert.equal(seconds(), 0)
})

test('a record whose data is no base64 is poison in its place, and the others are read', async () => {
  const { api, clock, reader } = reading()
  const { Records = [], ...page } = pageOf(
    JSON.stringify({
      Records: ['YWJj', 'YW*j', 'YWJj'].map((Data, at) => ({ Data, PartitionKey: 'k', SequenceNumber: `${at + 1}` })),
    }),
  )
  api.records = async () => ({ records: Records, next: page.NextShardIterator, millisecondsBehind: 0 })
  const batch = await poll(reader, clock)
  assert.ok(typeof batch === 'object')
  assert.deepEqual(
    batch.records().map(({ position, value, poison }) => [position, `${value}`, poison?.reason]),
    [
      ['1', 'abc', undefined],
      ['2', 'YW*j', 'UnreadableRecord'],
      ['3', 'abc', undefined],
    ],
  )
})

test('nothing is read of a stream that was made again between two looks at it, wherever the position would be', async () => {
  for (const failure of [undefined, 'InvalidArgumentException', 'ResourceNotFoundException']) {
    const { api, clock, looks, reader } = reading(sequence(3), 'Continue')
    fill(api, 10)
    api.created = new Date(1)
    if (failure !== undefined) api.failures.set('iterator', [{ name: failure, message: '' }])
    await assert.rejects(poll(reader, clock), rejection('retryable', 'StreamReplaced'))
    await assert.rejects(poll(reader, clock), rejection('retryable', 'StreamReplaced'))
    assert.deepEqual([api.reads, looks.length], [0, 2])
  }
})

test('readers that ask at the same moment which stream it is share an answer, and none gets one of before it asked', async () => {
  const api = fakeKinesis()
  const clock = fakeClock()
  const asked: (() => void)[] = []
  let looks = 0
  api.describe = async () => {
    looks += 1
    await new Promise<void>((resolve) => void asked.push(resolve))
    return { status: 'ACTIVE', arn: 'arn', created: new Date(looks), at: 0 }
  }
  const look = streamLook(api, clock)
  const early = [look(), look()]
  await clock.advance(0)
  const late = [look(), look(), look()]
  asked.shift()?.()
  assert.equal(new Set(await Promise.all(early)).size, 1)
  await clock.advance(300)
  asked.shift()?.()
  const [answer] = await Promise.all(late)
  assert.equal(looks, 2)
  assert.match(answer?.birth ?? '', /00\.002Z$/)
})
