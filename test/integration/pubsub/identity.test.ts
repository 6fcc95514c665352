/** Whole bridges whose subscription is deleted, made again, or loses its topic: nothing is skipped in silence. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import type { ReportedError } from '../../../crds/schema/report.ts'
import { eventually } from '../../support/eventually.ts'
import { createTopic, publish, pubsubProject, withPubsub } from '../../support/pubsub.ts'
import { type RuntimeProcess, startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { sharedPubsub, uniqueName } from '../../support/shared-servers.ts'

type Decision = { readonly onDataGap?: 'Continue'; readonly reset?: string }

/** One bridge over its lives: what it remembers and what it wrote stay. */
async function lives(t: TestContext) {
  const address = await sharedPubsub()
  const folder = temporaryDirectory('pubsub-identity')
  const name = uniqueName(t)
  const path = join(folder, 'out.jsonl')
  const connection = { projectID: pubsubProject, endpoint: `http://${address}` }
  let running: RuntimeProcess | undefined
  t.after(async () => {
    await running?.stop()
  })
  const stored = (): string[] =>
    existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => String((JSON.parse(line) as { readonly value: unknown }).value))
      : []
  return {
    address,
    /** Of the subscription that the bridge makes. */
    made: `streambridge.test.${name}`,
    stop: async () => void (await running?.stop()),
    async start(source: object, { onDataGap, reset }: Decision = {}) {
      await running?.stop()
      running = await startRuntime({
        bridge: {
          name,
          source: { pubsub: { ...connection, ...source } },
          sink: { file: { path } },
          delivery: { drainTimeout: '5s', ...(onDataGap === undefined ? {} : { onDataGap }) },
          ...(reset === undefined ? {} : { reset }),
        },
        leases: join(folder, 'leases'),
        ready: false,
      })
    },
    publish: (topic: string, values: readonly string[]): Promise<void> =>
      publish(
        address,
        topic,
        values.map((value) => ({ key: 'k', data: Buffer.from(value) })),
      ),
    stored,
    arrived: (values: readonly string[]) =>
      eventually('the records', stored, (found) => values.every((value) => found.includes(value)), { within: 60_000 }),
    error: (reason: string): Promise<ReportedError | undefined> =>
      eventually(
        `${reason} of the source`,
        async () => (await running?.report())?.errors.find(({ component }) => component === 'source'),
        (found) => found?.reason === reason,
        { within: 60_000 },
      ),
    connected: () =>
      eventually(
        'the connection',
        async () => {
          const report = await running?.report()
          return report?.source.connected === true && report.errors.length === 0
        },
        (works) => works,
        { within: 60_000 },
      ),
  }
}

const deleteSubscription = (address: string, name: string): Promise<void> =>
  withPubsub(address, async (client) => void (await client.subscription(name).delete()))
const makeSubscription = (address: string, topic: string, name: string): Promise<void> =>
  withPubsub(address, async (client) => void (await client.createSubscription(topic, name)))
const deleteTopic = (address: string, name: string): Promise<void> =>
  withPubsub(address, async (client) => void (await client.topic(name).delete()))

const making = (topic: string) => ({ topic, createSubscription: {} })

/** It has read the first message of its topic. */
async function underWay(bridge: Awaited<ReturnType<typeof lives>>, source: object, topic: string): Promise<void> {
  await bridge.start(source)
  await bridge.connected()
  await bridge.publish(topic, ['a1'])
  await bridge.arrived(['a1'])
}

suite('a bridge from Pub/Sub', { concurrency: 3 }, () => {
  test('says so where the manifest names another topic than its subscription has, and reads neither silently', async (t) => {
    const bridge = await lives(t)
    const [first, second] = [uniqueName(t), uniqueName(t)]
    await createTopic(bridge.address, first)
    await createTopic(bridge.address, second)
    await underWay(bridge, making(first), first)
    await bridge.start(making(second))
    const told = await bridge.error('DataGap')
    assert.match(
      told?.message ?? '',
      new RegExp(`belongs to topic projects/.*/${first}, spec\\.source\\.pubsub\\.topic says .*${second}`),
    )
  })

  test('says so when its topic is deleted while it runs, also after a restart and when a topic of the name is made again', async (t) => {
    const bridge = await lives(t)
    const topic = uniqueName(t)
    await createTopic(bridge.address, topic)
    await underWay(bridge, making(topic), topic)
    await deleteTopic(bridge.address, topic)
    await createTopic(bridge.address, topic)
    await bridge.publish(topic, ['b1'])
    assert.match((await bridge.error('TopicDeleted'))?.message ?? '', /the topic of subscription .* was deleted/)
    await bridge.start(making(topic))
    await bridge.error('TopicDeleted')
    assert.deepEqual(bridge.stored(), ['a1'])
  })

  test('does not make its subscription anew in silence; a person’s decision lets it go on', async (t) => {
    const bridge = await lives(t)
    const topic = uniqueName(t)
    await createTopic(bridge.address, topic)
    await underWay(bridge, making(topic), topic)
    await deleteSubscription(bridge.address, bridge.made)
    await bridge.publish(topic, ['lost'])
    assert.match((await bridge.error('DataGap'))?.message ?? '', /was deleted with what it held/)
    await bridge.start(making(topic))
    await bridge.error('DataGap')
    await bridge.start(making(topic), { onDataGap: 'Continue' })
    await bridge.connected()
    await bridge.publish(topic, ['b1'])
    await bridge.arrived(['b1'])
    await bridge.start(making(topic))
    await bridge.connected()
  })

  test('notices a subscription that was deleted while it was stopped, also once it was made again; a reset lets it go on', async (t) => {
    const bridge = await lives(t)
    const [topic, other] = [uniqueName(t), uniqueName(t)]
    await createTopic(bridge.address, topic, ['sub-' + topic])
    await createTopic(bridge.address, other)
    const source = { subscription: 'sub-' + topic }
    await underWay(bridge, source, topic)
    await bridge.stop()
    await deleteSubscription(bridge.address, source.subscription)
    await bridge.start(source)
    assert.match((await bridge.error('DataGap'))?.message ?? '', /was deleted with what it held/)
    await makeSubscription(bridge.address, topic, source.subscription)
    await bridge.start(source)
    await bridge.error('DataGap')
    await bridge.start(source, { reset: 'monday' })
    await bridge.connected()
    await bridge.publish(topic, ['b1'])
    await bridge.arrived(['b1'])
  })

  test('says so when it is told to read another subscription', async (t) => {
    const bridge = await lives(t)
    const topic = uniqueName(t)
    await createTopic(bridge.address, topic, [`${topic}-one`, `${topic}-two`])
    await underWay(bridge, { subscription: `${topic}-one` }, topic)
    await bridge.start({ subscription: `${topic}-two` })
    assert.match((await bridge.error('DataGap'))?.message ?? '', /has read subscription .*-one until now, not .*-two/)
    await bridge.start({ subscription: `${topic}-two` }, { onDataGap: 'Continue' })
    await eventually('both', bridge.stored, (found) => found.length === 2, { within: 60_000 })
  })
})
