/** A bridge that reads many topics and writes one of the same name for each. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { createTopic } from '../../support/kafka.ts'
import { type RuntimeProcess, startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { consumeAll, produce } from './verify.ts'

interface Mirror {
  readonly server: string
  readonly prefix: string
  readonly runtime: RuntimeProcess
  /** A source topic with records, and its target. */
  readonly add: (name: string, options?: { readonly target?: boolean }) => Promise<readonly string[]>
  /** Key and value of each record of a target, those of a key in their order. */
  readonly copied: (name: string, count: number) => Promise<readonly string[]>
}

const records = 60
const keys = 7

async function mirror(t: TestContext, topicFrom: object, topics: readonly string[]): Promise<Mirror> {
  const server = await sharedKafka()
  const prefix = uniqueName('mirrored')
  const add: Mirror['add'] = async (name, { target = true } = {}) => {
    const topic = `${prefix}.${name}`
    await createTopic(server, topic, { partitions: 2 })
    if (target) await createTopic(server, `copy.${topic}`, { partitions: 2 })
    const sent = Array.from({ length: records }, (_, number) => ({
      key: `key-${number % keys}`,
      value: `${name}-${number}`,
      partition: (number % keys) % 2,
    }))
    await produce(server, topic, sent)
    return byKey(sent)
  }
  const copied: Mirror['copied'] = async (name, count) => {
    const found = await consumeAll(server, `copy.${prefix}.${name}`, count)
    return byKey(found.map(({ key, value }) => ({ key: String(key), value: String(value) })))
  }
  for (const name of topics) await add(name)
  const runtime = await startRuntime({
    bridge: {
      name: prefix,
      source: {
        kafka: { bootstrapServers: [server], topicsPattern: `${prefix}[.].*`, startPosition: { type: 'Earliest' } },
      },
      sink: { kafka: { bootstrapServers: [server], topicFrom } as never },
      delivery: { retry: { maxBackoff: '1s' } },
    },
    leases: join(temporaryDirectory('mirror'), 'leases'),
  })
  t.after(() => runtime.stop())
  return { server, prefix, runtime, add, copied }
}

const byKey = (list: readonly { readonly key: string; readonly value: string }[]): readonly string[] =>
  Array.from({ length: keys }, (_, key) => list.filter((one) => one.key === `key-${key}`))
    .flat()
    .map(({ key, value }) => `${key}=${value}`)

test('20 topics of a pattern are copied each to its own, whose name is kept, and so is one that comes later', async (t) => {
  const names = Array.from({ length: 20 }, (_, number) => `topic-${number}`)
  const { add, copied } = await mirror(t, { sameName: { prefix: 'copy.' } }, names)
  for (const name of names) {
    const expected = byKey(
      Array.from({ length: records }, (_, number) => ({ key: `key-${number % keys}`, value: `${name}-${number}` })),
    )
    assert.deepEqual(await copied(name, records), expected)
  }
  const later = await add('later')
  assert.deepEqual(await copied('later', records), later)
})

test('a target that is missing is named, its topic waits for it, and the others go on', async (t) => {
  const { server, prefix, runtime, add, copied } = await mirror(t, { sameName: { prefix: 'copy.' } }, ['there'])
  await copied('there', records)
  const waiting = await add('missing', { target: false })
  const told = await eventually(
    'the missing target is told',
    async () => (await runtime.report()).errors.find(({ component }) => component === 'sink'),
    undefined,
    { within: 90_000 },
  )
  assert.equal(told?.reason, 'TopicNotFound')
  assert.match(told?.message ?? '', new RegExp(`"copy\\.${prefix}\\.missing"`))
  const other = await add('other')
  assert.deepEqual(await copied('other', records), other)
  await createTopic(server, `copy.${prefix}.missing`, { partitions: 2 })
  assert.deepEqual(await copied('missing', records), waiting)
})
