/** The brokers, by the names they have in a manifest. */
import type { End } from './end.ts'
import { eventHubsEnd } from './event-hubs.ts'
import { kafkaEnd } from './kafka.ts'
import { kinesisEnd } from './kinesis.ts'
import { pubsubEnd } from './pubsub.ts'

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
