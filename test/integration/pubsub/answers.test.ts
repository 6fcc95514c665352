import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { MemorySink } from '../../support/memory/sink.ts'
import { type FakePubsub, startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import { running, source } from './engines.ts'

async function serviceWith(t: TestContext, data: readonly Buffer[]): Promise<FakePubsub> {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic('orders', ['orders'])
  service.publish(
    'orders',
    data.map((each) => ({ key: '', data: each })),
  )
  return service
}

test('the largest legal message is read', async (t) => {
  const service = await serviceWith(t, [Buffer.alloc(9_999_000, 'x')])
  const sink = new MemorySink({ limits: { maxRecords: 10, maxBytes: 1e8 } })
  const bridge = running(
    t,
    () => source(service.address, 'orders'),
    () => Promise.resolve(sink),
  )
  await eventually('it is stored', () => sink.stored.length === 1)
  assert.equal(sink.stored[0]?.value?.length, 9_999_000)
  await bridge.stop()
})

test('an answer larger than any that the service gives is refused unread, and named', async (t) => {
  const service = await serviceWith(t, [Buffer.alloc(64 * 2 ** 20 + 1_000, 'x')])
  const bridge = running(
    t,
    () => source(service.address, 'orders'),
    () => Promise.resolve(new MemorySink()),
  )
  const { error } = await eventually('it is told', () => bridge.engine.errors.newest('source'))
  assert.deepEqual([error.kind, error.reason], ['fatal', 'AnswerTooLarge'])
  assert.match(error.message, /subscription projects\/.*orders at http:.*: an answer of \d+ bytes is larger than \d+/)
  await bridge.stop()
})
