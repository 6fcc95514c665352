import assert from 'node:assert/strict'
import test from 'node:test'
import { pubsub } from '../../../bridge-runtime/connectors/pubsub/index.ts'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { createLogger } from '../../../bridge-runtime/observability/logger.ts'
import { testContext } from '../../conformance/harness.ts'
import { eventually } from '../../support/eventually.ts'
import { MemorySink } from '../../support/memory/sink.ts'
import { startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import { running } from './engines.ts'
import { sourceConfig } from './harness.ts'

/** A subscription, a bridge that has moved its 300 messages, and the bridge's clock. The emulator knows no seek. */
async function moved(t: test.TestContext, settings: object = {}) {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic('orders', ['orders'], settings)
  service.publish(
    'orders',
    Array.from({ length: 300 }, (_, at) => ({ key: `k${at % 7}`, data: Buffer.from(`${at}`) })),
  )
  let ahead = 0
  const log: string[] = []
  const context = {
    ...testContext({ clock: { ...realClock, monotonic: () => realClock.monotonic() + ahead } }),
    log: createLogger({ level: 'info', write: (line) => void log.push(line) }),
  }
  const sink = new MemorySink({ limits: { maxRecords: 100, maxBytes: 1e6 } })
  const bridge = running(
    t,
    () => pubsub.source.open(pubsub.source.schema.parse(sourceConfig(service.address, 'orders')), context),
    () => Promise.resolve(sink),
  )
  const queue = service.subscription('orders')
  await eventually('all are moved', () => sink.stored.length === 300 && queue.backlog === 0)
  const wait = (milliseconds: number): void => void (ahead += milliseconds)
  return { queue, sink, bridge, log, wait }
}

test('a subscription that is moved back is moved again, though all of it was acknowledged seconds ago', async (t) => {
  const { queue, sink, bridge, log, wait } = await moved(t)
  wait(5_000)
  queue.rewind()
  await eventually('all are moved again', () => sink.stored.length >= 600)
  assert.equal(new Set(sink.stored.slice(-300).map(({ value }) => `${value}`)).size, 300)
  assert.equal(bridge.engine.statistics.totals.repeats, 0)
  assert.match(log.join('\n'), /messages that were acknowledged come again, as after a seek/)
  await bridge.stop()
})

test('with exactly-once delivery a seek is noticed at once', async (t) => {
  const { queue, sink, bridge, log } = await moved(t, { enableExactlyOnceDelivery: true })
  queue.rewind()
  const { totals } = bridge.engine.statistics
  // An answer to an acknowledgement may be on its way still.
  await eventually('each was moved again or counted', () => totals.repeats + sink.stored.length >= 600)
  assert.match(log.join('\n'), /messages that were acknowledged come again, as after a seek/)
  await bridge.stop()
})

test('what comes again within moments of its acknowledgement is moved again or counted', async (t) => {
  const { queue, sink, bridge } = await moved(t)
  queue.rewind()
  const { totals } = bridge.engine.statistics
  await eventually('each was moved again or counted', () => totals.repeats + sink.stored.length >= 600)
  await bridge.stop()
})
