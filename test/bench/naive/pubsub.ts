/** A naive loop's Pub/Sub, with Google's SDK: messages are gathered while a batch is written, and acknowledged after it. */
import type { Message } from '@google-cloud/pubsub'
import { pubsubClient } from '../../support/pubsub.ts'
import type { Place, SourcePlace, Stored, Write } from './loop.ts'

export function fromPubsub({ address, stream }: SourcePlace, write: Write): void {
  const arrived: Message[] = []
  let working = false
  const work = async (): Promise<void> => {
    if (working) return
    working = true
    while (arrived.length > 0) {
      const batch = arrived.splice(0)
      await write(
        batch.map(({ orderingKey = '', data, attributes }) => ({ key: orderingKey, value: data, headers: attributes })),
      )
      for (const message of batch) message.ack()
    }
    working = false
  }
  const subscription = pubsubClient(address).subscription(stream)
  subscription.on('message', (message: Message) => {
    arrived.push(message)
    // Messages of one answer come one by one in the same turn.
    setImmediate(() => void work())
  })
  subscription.on('error', (error: Error) => {
    throw error
  })
}

export function toPubsub({ address, stream }: Place, stored: Stored): Write {
  const topic = pubsubClient(address).topic(stream, {
    messageOrdering: true,
    batching: { maxMessages: 500, maxMilliseconds: 2 },
  })
  return async (records) => {
    await Promise.all(
      records.map(async ({ key, value, headers }) => {
        await topic.publishMessage({ data: value, attributes: headers, orderingKey: key })
        stored(1)
      }),
    )
  }
}
