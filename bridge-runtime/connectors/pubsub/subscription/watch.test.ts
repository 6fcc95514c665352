import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fakeClock } from '../../../../test/support/fake-clock.ts'
import { historyOn } from '../../../../test/support/leases/history.ts'
import type { BridgeError } from '../../../core/errors.ts'
import { memoryLeases } from '../../../lease-stores/memory.ts'
import { silentLogger } from '../../../observability/logger.ts'
import type { Connection, SubscriptionSettings } from '../connection.ts'
import { translate } from '../errors.ts'
import { pubsubSource } from '../schema.ts'
import { SubscriptionWatch } from './watch.ts'

const name = 'projects/my-project/subscriptions/orders'
const notFound = 5

/** A watch of a subscription that is as the test says; `tell` takes what it says of the topic. */
async function watching(t: TestContext, settings: SubscriptionSettings) {
  const clock = fakeClock()
  const over = new AbortController()
  t.after(() => over.abort())
  const world = { looks: 0, missing: false, told: [] as (string | undefined)[] }
  const call: Connection['call'] = async <Answer>(_: string, __: object, doing: Parameters<typeof translate>[1]) => {
    world.looks += 1
    if (world.missing) throw translate({ code: notFound, details: 'no' }, doing)
    return settings as Answer
  }
  const config = pubsubSource.parse({ projectID: 'my-project', subscription: 'orders' })
  const history = historyOn(memoryLeases())
  const watch = new SubscriptionWatch({ connection: { call }, config, name, history, clock, log: silentLogger })
  await watch.open(over.signal)
  const ended = watch.run((error: BridgeError | undefined) => void world.told.push(error?.reason), over.signal)
  await clock.advance(0)
  return { world, clock, watch, ended }
}

test('a subscription is looked at once when it is opened, and again when it may have changed', async (t) => {
  const { world, clock } = await watching(t, { topic: 'projects/my-project/topics/orders' })
  assert.equal(world.looks, 1)
  await clock.advance(10_000)
  assert.equal(world.looks, 2)
})

test('a topic that was deleted before the bridge began is told at once', async (t) => {
  const { world } = await watching(t, { topic: '_deleted-topic_' })
  assert.deepEqual(world.told, ['TopicDeleted'])
})

test('a subscription that a call finds missing is looked at without a wait, and ends the reading', async (t) => {
  const { world, watch, ended } = await watching(t, { topic: 'projects/my-project/topics/orders' })
  world.missing = true
  watch.lookNow()
  assert.equal((await ended)?.reason, 'DataGap')
})
