/** The example that copies every topic of a pattern. */
import assert from 'node:assert/strict'
import { consumeAll, produce } from '../integration/kafka/verify.ts'
import { createTopic } from '../support/kafka.ts'
import { sharedKafka, uniqueName } from '../support/shared-servers.ts'
import { pointedAt } from './example.ts'
import { bridgeOf, stopped, type Trial } from './stage.ts'

/** Each topic has its copy, also one that is made while the bridge runs. */
export const mirrored: Trial = async (t, example) => {
  const bootstrapServers = [await sharedKafka()]
  const [server = ''] = bootstrapServers
  const shop = uniqueName('shop')
  const make = async (name: string): Promise<readonly string[]> => {
    const topic = `${shop}.${name}`
    for (const each of [topic, `eu.${topic}`]) await createTopic(server, each, { partitions: 1 })
    const messages = Array.from({ length: 50 }, (_, number) => ({
      key: `key-${number % 5}`,
      value: `${name}-${number}`,
    }))
    await produce(server, topic, messages)
    return messages.map(({ value }) => value)
  }
  const copy = async (name: string): Promise<readonly string[]> =>
    (await consumeAll(server, `eu.${shop}.${name}`, 50)).map(({ value }) => String(value))
  const sent = { orders: await make('orders'), payments: await make('payments') }
  const bridge = await bridgeOf(
    t,
    pointedAt(example, {
      source: { bootstrapServers, topicsPattern: `${shop}[.].*` },
      sink: { bootstrapServers },
    }),
  )()
  for (const [name, values] of Object.entries(sent)) assert.deepEqual(await copy(name), values)
  const later = await make('returns')
  assert.deepEqual(await copy('returns'), later)
  await stopped(bridge)
}
