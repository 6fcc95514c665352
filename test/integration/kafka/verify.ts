/** What the independent client finds. */
import type { IHeaders } from 'kafkajs'
import { eventually } from '../../support/eventually.ts'
import { kafkaClient, withAdmin } from '../../support/kafka.ts'
import { uniqueName } from '../../support/shared-servers.ts'

export interface Found {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
  readonly headers: IHeaders | undefined
}

/** Reads a topic from its beginning until there are that many records, partition by partition in their order. */
export async function consumeAll(server: string, topic: string, count: number): Promise<Found[]> {
  const consumer = kafkaClient(server).consumer({ groupId: uniqueName('verify'), maxWaitTimeInMs: 100 })
  const found: Found[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: ({ partition, message: { offset, key, value, timestamp, headers } }) => {
        found.push({ partition, offset: Number(offset), key, value, timestamp, headers })
        return Promise.resolve()
      },
    })
    await eventually(
      `${count} records in ${topic}`,
      () => found.length,
      (length) => length >= count,
    )
  } finally {
    await consumer.disconnect()
  }
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

/** Committed offsets of a group by partition; absent where there are none. */
export async function committedOffsets(server: string, groupId: string, topic: string): Promise<Map<number, number>> {
  const [answer] = await withAdmin(server, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }))
  const known = (answer?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0)
  return new Map(known.map(({ partition, offset }) => [partition, Number(offset)]))
}

/** Produces values with their key and partition, acknowledged by all. */
export async function produce(
  server: string,
  topic: string,
  messages: readonly { key?: string; value: string; partition?: number; timestamp?: string }[],
): Promise<void> {
  const producer = kafkaClient(server).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    await producer.send({ topic, messages: [...messages] })
  } finally {
    await producer.disconnect()
  }
}
