/** A judge that finds nothing wrong must be one that could have. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTopic, kafkaClient } from '../support/kafka.ts'
import { sharedKafka, uniqueName } from '../support/shared-servers.ts'
import { type Place, witness } from '../support/witness.ts'

interface Message {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

async function messagesOf({ address, stream }: Place, count: number): Promise<Message[]> {
  const consumer = kafkaClient(address).consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 200 })
  const found: Message[] = []
  await consumer.connect()
  await consumer.subscribe({ topic: stream, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message: { key, value } }: { message: Message }): Promise<void> => {
      if (found.push({ key, value }) === count) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return found
}

async function send({ address, stream }: Place, messages: readonly Message[]): Promise<void> {
  const producer = kafkaClient(address).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic: stream, acks: -1, messages: [...messages] })
  await producer.disconnect()
}

test('what is lost, repeated, out of order, changed or under another key is counted', async () => {
  const address = await sharedKafka()
  const place = async (): Promise<Place> => {
    const stream = uniqueName('judged')
    await createTopic(address, stream, { partitions: 1 })
    return { broker: 'kafka', address, stream }
  }
  const [sent, received] = await Promise.all([place(), place()])
  const judge = witness({ run: sent.stream, keys: 1 })
  await judge.produce(sent, 20)
  const messages = await messagesOf(sent, 20)
  const [lost, swapped, changed, moved, ...others] = messages
  assert.ok(lost !== undefined && swapped !== undefined && changed?.value && moved !== undefined)
  changed.value.write('?', 60)
  await send(received, [...others, ...others.slice(0, 3), swapped, changed, { ...moved, key: Buffer.from('other') }])
  const { samples, ...counts } = await judge.judge(received, { within: 5_000 })
  assert.deepEqual(counts, { sent: 20, received: 17, lost: 3, duplicated: 3, reordered: 1, corrupt: 2 }, samples.join())
})
