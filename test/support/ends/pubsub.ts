import type { PubSub, v1 } from '@google-cloud/pubsub'
import {
  createTopic,
  deleteTopic,
  publishWith,
  pubsubClient,
  pubsubProject,
  pull,
  subscriberClient,
} from '../pubsub.ts'
import { sharedPubsub, uniqueName } from '../shared-servers.ts'
import { type End, lazily, markHeader, type StreamClient } from './end.ts'

/** A topic with two ordered subscriptions, one for the bridge and one to look at what was published, with the SDK as the client. */
export async function pubsubEnd(): Promise<End> {
  const address = await sharedPubsub()
  const topic = uniqueName('end')
  const check = `${topic}-check`
  await createTopic(address, topic, [topic, check], { ackDeadlineSeconds: 10 })
  const connection = { projectID: pubsubProject, endpoint: `http://${address}` }
  const source = { pubsub: { ...connection, subscription: topic } }
  const client = pubsubStream({ address, topic, check })
  return {
    broker: 'Pub/Sub',
    stream: topic,
    source,
    hastySource: source,
    sink: { pubsub: { ...connection, topic } },
    secrets: {},
    patience: 15_000,
    headers: true,
    send: client.send,
    checkpoints: () => Promise.resolve(new Map()),
    collect: client.collect,
    async [Symbol.asyncDispose]() {
      await client.close()
      await deleteTopic(address, topic, [topic, check])
    },
  }
}

export interface PubsubStream {
  /** host:port of an emulator. */
  readonly address: string
  readonly topic: string
  /** A subscription to look at what was published, where that is wanted; what was looked at is acknowledged. */
  readonly check?: string
}

export function pubsubStream({ address, topic, check }: PubsubStream): StreamClient {
  const publisher = lazily<PubSub>(
    () => Promise.resolve(pubsubClient(address)),
    (client) => client.close(),
  )
  const subscriber = lazily<v1.SubscriberClient>(
    () => Promise.resolve(subscriberClient(address)),
    (client) => client.close(),
  )
  return {
    async send(records) {
      const messages = records.map(({ key, value, mark }) => ({ key, data: value, attributes: { [markHeader]: mark } }))
      await publishWith(await publisher.get(), topic, messages)
    },
    async collect(run) {
      if (check === undefined) throw new TypeError(`nobody looks at topic ${topic}`)
      const client = await subscriber.get()
      for (let more = true; more; ) {
        const messages = await pull(client, check)
        for (const { orderingKey, data, attributes } of messages) run.arrived(orderingKey, data, attributes[markHeader])
        more = messages.length > 0
      }
    },
    async close() {
      await publisher.close()
      await subscriber.close()
    },
  }
}
