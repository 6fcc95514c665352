import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { status } from '@grpc/grpc-js'
import type { BridgeRecord } from '../../../bridge-runtime/core/contracts.ts'
import { heldBack } from '../../../bridge-runtime/core/delivery/held-back.ts'
import { eventually } from '../../support/eventually.ts'
import { type FakePubsub, startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import type { Refusal } from '../../support/pubsub-fake/refusal.ts'
import { assertWhole } from '../../support/tally.ts'
import { randomNumbers, testRun } from '../../support/verifier.ts'
import { recordsOf } from '../../support/memory/source.ts'
import { running, sink } from './engines.ts'
import { sinkBatch } from '../../support/sink-batch.ts'

const lost: Refusal = { code: status.UNAVAILABLE, details: 'the connection was lost', done: true }
const never = new AbortController().signal

async function serviceWith(t: TestContext, topic: string): Promise<FakePubsub> {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic(topic)
  return service
}

const keyOf = (request: Readonly<Record<string, unknown>>): string =>
  (request['messages'] as { readonly orderingKey?: string }[])[0]?.orderingKey ?? ''

const record = (key: string, value: string, position: number): BridgeRecord => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: [],
  timestamp: 0,
  position,
})

test('a key that fails holds back its later records, stores none of them, and leaves the other keys alone', async (t) => {
  const service = await serviceWith(t, 'orders')
  service.refuse = ({ method, request }) =>
    method === 'publish' && keyOf(request) === 'bad' ? { code: status.UNAVAILABLE, details: 'try again' } : undefined
  await using target = await sink(service.address, 'orders', { limits: { maxMessages: 2 } })
  await target.open(never)
  const records = ['bad', 'good', 'bad', 'good', 'bad', 'bad'].map((key, index) => record(key, `${index}`, index))
  const reports: number[][] = []
  const failures = await target.write(sinkBatch(records), never, (indexes) => reports.push([...indexes]))
  assert.deepEqual(
    service.published('orders').map(({ data }) => data),
    ['1', '3'],
  )
  assert.deepEqual(
    [...failures].sort(([a], [b]) => a - b).map(([index, error]) => [index, error.reason]),
    [
      [0, 'EndpointUnreachable'],
      [2, 'EndpointUnreachable'],
      [4, heldBack.reason],
      [5, heldBack.reason],
    ],
  )
})

test('what a request has stored is told at once, while another request of the write is on its way', async (t) => {
  const service = await serviceWith(t, 'orders')
  await using target = await sink(service.address, 'orders', { limits: { maxRequests: 1 } })
  await target.open(never)
  const reports: number[][] = []
  const seen: number[] = []
  service.refuse = ({ method }) => {
    if (method === 'publish') seen.push(reports.length)
    return undefined
  }
  const records = ['a', 'b', 'a', 'c'].map((key, index) => record(key, `${index}`, index))
  const failures = await target.write(sinkBatch(records), never, (indexes) => reports.push([...indexes]))
  assert.equal(failures.size, 0)
  assert.deepEqual(reports, [[0, 2], [1]], 'the last request is told by the result')
  assert.deepEqual(seen, [0, 1, 2])
})

test('answers that are lost behind the storing lose nothing, keep the order, and repeat at most their requests', async (t) => {
  const service = await serviceWith(t, 'orders')
  const random = randomNumbers(7)
  let repeated = 0
  service.refuse = ({ method, request }) => {
    if (method !== 'publish' || random() > 0.15) return undefined
    if (random() < 0.5) return { code: status.UNAVAILABLE, details: 'not stored' }
    repeated += (request['messages'] as unknown[]).length
    return lost
  }
  const run = testRun({ run: 'ambiguous', keys: 40 })
  const records = run.take(5_000)
  const bridge = running(
    t,
    async () => recordsOf(records),
    () => sink(service.address, 'orders'),
  )
  const published = service.published('orders')
  await eventually('all are stored', () => new Set(published.map(({ data }) => data)).size === 5_000)
  service.refuse = () => undefined
  await bridge.stop()
  for (const { key, data } of published) run.arrived(key, data)
  assert.ok(repeated > 0)
  assertWhole(run.tally(), repeated)
})

test('throttling slows the bridge and is visible; nothing is lost or repeated', async (t) => {
  const service = await serviceWith(t, 'orders')
  let refused = 0
  service.refuse = ({ method }) =>
    method === 'publish' && refused < 40 && ++refused > 0
      ? { code: status.RESOURCE_EXHAUSTED, details: 'Quota exceeded for publish throughput' }
      : undefined
  const run = testRun({ run: 'throttled', keys: 10 })
  const records = run.take(1_000)
  const bridge = running(
    t,
    async () => recordsOf(records),
    () => sink(service.address, 'orders'),
  )
  const error = await eventually('the throttling shows', () => bridge.engine.errors.newest('sink')?.error)
  assert.equal(error.reason, 'Throttled')
  assert.match(error.message, /pubsub.topics.publish on topic .*orders.*Quota exceeded/)
  await eventually('all are stored', () => service.published('orders').length === 1_000)
  await bridge.stop()
  for (const { key, data } of service.published('orders')) run.arrived(key, data)
  assertWhole(run.tally(), 0)
})

test('a message that the service refuses is found among its neighbours, and only it is poison', async (t) => {
  const service = await serviceWith(t, 'orders')
  service.refuse = ({ method, request }) => {
    const messages = (request['messages'] ?? []) as { readonly data: Uint8Array }[]
    return method === 'publish' && messages.some(({ data }) => Buffer.from(data).toString() === '2')
      ? { code: status.INVALID_ARGUMENT, details: 'the message does not match the schema' }
      : undefined
  }
  await using target = await sink(service.address, 'orders')
  await target.open(never)
  const records = ['k', 'k', 'k', 'k'].map((key, index) => record(key, `${index}`, index))
  const failures = await target.write(sinkBatch(records), never)
  assert.deepEqual(
    [...failures].sort(([a], [b]) => a - b).map(([index, { kind, reason }]) => [index, kind, reason]),
    [
      [2, 'poison', 'RecordRejected'],
      [3, heldBack.kind, heldBack.reason],
    ],
  )
  assert.deepEqual(
    service.published('orders').map(({ data }) => data),
    ['0', '1'],
  )
})
