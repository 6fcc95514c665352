/** A naive loop's Kafka, with kafkajs: `eachBatch`, whose offsets are committed after it. */
import { Partitioners } from 'kafkajs'
import { kafkaClient } from '../../support/kafka.ts'
import { chunks, type Place, type SourcePlace, type Stored, type Write } from './loop.ts'

export async function fromKafka({ address, stream }: SourcePlace, write: Write): Promise<void> {
  const consumer = kafkaClient(address).consumer({ groupId: `naive-${stream}` })
  await consumer.connect()
  await consumer.subscribe({ topic: stream, fromBeginning: true })
  await consumer.run({
    partitionsConsumedConcurrently: 4,
    autoCommitInterval: 5_000,
    eachBatch: async ({ batch }) => {
      await write(
        batch.messages.map(({ key, value, headers = {} }) => ({
          key: key?.toString() ?? '',
          value: value ?? Buffer.alloc(0),
          headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
        })),
      )
    },
  })
}

/** A request's batches must stay below the broker's `message.max.bytes`. */
const maxRecords = 1_000

export async function toKafka({ address, stream }: Place, stored: Stored): Promise<Write> {
  const producer = kafkaClient(address).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  return async (records) => {
    for (const part of chunks(records, maxRecords)) {
      const messages = part.map(({ key, value, headers }) => ({ key, value, headers }))
      await producer.send({ topic: stream, acks: -1, messages })
      stored(part.length)
    }
  }
}
