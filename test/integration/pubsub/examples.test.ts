import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { readManifests } from '../../../cli/manifests.ts'
import type { StreamBridgeSpec } from '../../../crds/schema/streambridge.ts'
import { streamBridge } from '../../../crds/schema/streambridge.ts'
import { eventually } from '../../support/eventually.ts'
import { createTopic, pubsubClient, publish, pullAll } from '../../support/pubsub.ts'
import { sharedPubsub, uniqueName } from '../../support/shared-servers.ts'
import { checking } from '../../support/checking-sink.ts'
import { recordsOf } from '../../support/memory/source.ts'
import { running, sink, source } from './engines.ts'
import { testRun } from '../../support/verifier.ts'
import { assertWhole } from '../../support/tally.ts'

const root = join(import.meta.dirname, '../../..')
const directory = join(root, 'examples')

/** The bridge of an example, as a person applies it. */
async function specOf(file: string): Promise<StreamBridgeSpec> {
  const manifests = await readManifests(join(directory, file))
  const bridge = manifests.find(({ object }) => object['kind'] === 'StreamBridge')
  assert.ok(bridge)
  return streamBridge.parse(bridge.object).spec
}

test('the guide shows an example as it is', () => {
  const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(
    readFileSync(join(root, 'docs/guides/connectors/pubsub.md'), 'utf8'),
  ) ?? ['']
  assert.equal(shown, readFileSync(join(directory, 'pubsub-to-kafka.yaml'), 'utf8'))
})

/** What a test changes of an example: where the service is, and by which name a topic nobody else uses. */
const moved = (address: string) => ({ endpoint: `http://${address}`, auth: {}, projectID: 'streambridge-test' })

test('examples/pubsub-to-pubsub.yaml makes its subscription and copies what is published', async (t) => {
  const { source: from, sink: to } = await specOf('pubsub-to-pubsub.yaml')
  assert.ok(from.pubsub !== undefined && to.pubsub !== undefined)
  const address = await sharedPubsub()
  const topics = { from: uniqueName('orders'), to: uniqueName('orders') }
  await createTopic(address, topics.from)
  await createTopic(address, topics.to, [`${topics.to}-verify`])
  const { projectID: _project, topic: _topic, ...more } = from.pubsub
  const bridge = running(
    t,
    () => source(address, '', { ...more, ...moved(address), subscription: undefined, topic: topics.from }),
    () => sink(address, topics.to, { ...to.pubsub, ...moved(address), topic: topics.to }),
  )
  const client = pubsubClient(address)
  t.after(() => client.close())
  const subscription = await eventually('the subscription is there', async () => {
    const [found] = await client.topic(topics.from).getSubscriptions()
    return found[0]
  })
  assert.match(subscription.name, /subscriptions\/streambridge\.conformance\.bridge$/)
  const [{ enableMessageOrdering }] = await subscription.getMetadata()
  assert.equal(enableMessageOrdering, true)
  const run = testRun({ run: topics.from, keys: 10 })
  await publish(
    address,
    topics.from,
    run.take(500).map(({ key, value }) => ({ key, data: value })),
  )
  await eventually('all are copied', async () => {
    for (const { orderingKey, data } of await pullAll(address, `${topics.to}-verify`)) run.arrived(orderingKey, data)
    return run.received === 500
  })
  await bridge.stop()
  await subscription.delete()
  assertWhole(run.tally(), 0)
})

test('the Pub/Sub end of examples/kafka-to-pubsub.yaml and of examples/pubsub-to-kafka.yaml moves records', async (t) => {
  const { sink: to } = await specOf('kafka-to-pubsub.yaml')
  const { source: from } = await specOf('pubsub-to-kafka.yaml')
  assert.ok(from.pubsub !== undefined && to.pubsub !== undefined)
  const address = await sharedPubsub()
  const name = uniqueName('orders')
  await createTopic(address, name, [name])
  const run = testRun({ run: name, keys: 10 })
  const records = run.take(500)
  const writer = running(
    t,
    async () => recordsOf(records),
    () => sink(address, name, { ...to.pubsub, ...moved(address), topic: name }),
  )
  const reader = running(
    t,
    () => source(address, name, { ...from.pubsub, ...moved(address), subscription: name }),
    async () => checking(run),
  )
  await eventually('all have come through', () => run.received === 500)
  await Promise.all([writer.stop(), reader.stop()])
  assertWhole(run.tally(), 0)
})
