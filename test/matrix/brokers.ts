/** The brokers of the matrix, by the names they have in a manifest. */
import type { End } from '../support/ends/end.ts'
import { eventHubsEnd } from '../support/ends/event-hubs.ts'
import { kafkaEnd } from '../support/ends/kafka.ts'
import { kinesisEnd } from '../support/ends/kinesis.ts'
import { pubsubEnd } from '../support/ends/pubsub.ts'

const ends = {
  kafka: () => kafkaEnd(),
  // A shard takes 1 MiB and 1,000 records per second.
  kinesis: () => kinesisEnd(16),
  pubsub: () => pubsubEnd(),
  eventHubs: () => eventHubsEnd(),
} satisfies Record<string, () => Promise<End>>

export type Broker = keyof typeof ends

export const brokers: readonly Broker[] = ['kafka', 'kinesis', 'pubsub', 'eventHubs']

export const openEnd = (broker: Broker): Promise<End> => ends[broker]()
