import type { v1 } from '@google-cloud/pubsub'
import { createTopic, deleteTopic, publish, pubsubProject, pull, subscriberClient } from '../pubsub.ts'
import { sharedPubsub, uniqueName } from '../shared-servers.ts'
import { type End, lazily, markHeader } from './end.ts'

/** A topic with two ordered subscriptions, one for the bridge and one to look at what was published, with the SDK as the client. */
export async function pubsubEnd(): Promise<End> {
  const address = await sharedPubsub()
  const topic = uniqueName('end')
  const check = `${topic}-check`
  await createTopic(address, topic, [topic, check], { ackDeadlineSeconds: 10 })
  const connection = { projectID: pubsubProject, endpoint: `http://${address}` }
  const subscriber = lazily<v1.SubscriberClient>(
    () => Promise.resolve(subscriberClient(address)),
    (client) => client.close(),
  )
  return {
    broker: 'Pub/Sub',
    stream: topic,
    source: { pubsub: { ...connection, subscription: topic } },
    sink: { pubsub: { ...connection, topic } },
    secrets: {},
    patience: 15_000,
    headers: true,
    send: (records) =>
      publish(
        address,
        topic,
        records.map(({ key, value, mark }) => ({ key, data: value, attributes: { [markHeader]: mark } })),
      ),
    checkpoints: () => Promise.resolve(new Map()),
    async collect(run) {
      const client = await subscriber.get()
      for (let more = true; more; ) {
        const messages = await pull(client, check)
        for (const { orderingKey, data, attributes } of messages) run.arrived(orderingKey, data, attributes[markHeader])
        more = messages.length > 0
      }
    },
    async [Symbol.asyncDispose]() {
      await subscriber.close()
      await deleteTopic(address, topic, [topic, check])
    },
  }
}
