import { createTopic, deleteTopic, publish, pubsubProject, withPubsub } from '../../support/pubsub.ts'
import { sharedPubsub } from '../../support/shared-servers.ts'
import type { World } from './world.ts'

/** A stream is a topic with a subscription of its name, which is the bridge's. */
export async function pubsubWorld(): Promise<World> {
  const address = await sharedPubsub()
  return {
    broker: 'Pub/Sub',
    secrets: {},
    source: (subscription) => ({ pubsub: { projectID: pubsubProject, endpoint: `http://${address}`, subscription } }),
    create: (name) => createTopic(address, name, [name]),
    remove: (name) => deleteTopic(address, name, [name]),
    send: (name, values) =>
      publish(
        address,
        name,
        values.map((value) => ({ key: 'k', data: Buffer.from(value) })),
      ),
    losePosition: (_, name) =>
      withPubsub(address, async (client) => {
        await client.subscription(name).delete()
      }),
    unreachable: 'sent before the reader',
    async [Symbol.asyncDispose]() {},
  }
}
