/** A naive loop's Event Hubs, with Azure's SDK: a subscription for each partition, its checkpoint in a file. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { earliestEventPosition } from '@azure/event-hubs'
import { eventHubsConnectionString } from '../../support/event-hubs.ts'
import { consumerOf, producerOf } from '../../support/event-hubs-sdk.ts'
import { chunks, type NaiveRecord, type Place, type SourcePlace, type Stored, type Write } from './loop.ts'

export async function fromEventHubs({ address, stream, checkpoints }: SourcePlace, write: Write): Promise<void> {
  const client = consumerOf(eventHubsConnectionString(address, stream), 'bridge')
  for (const partition of await client.getPartitionIds())
    client.subscribe(
      partition,
      {
        async processEvents(events) {
          const last = events.at(-1)
          if (last === undefined) return
          await write(
            events.map(({ partitionKey, body, properties }) => ({
              key: partitionKey ?? '',
              value: body as Buffer,
              headers: (properties ?? {}) as Record<string, string>,
            })),
          )
          await writeFile(join(checkpoints, partition), String(last.sequenceNumber))
        },
        async processError(error) {
          throw error
        },
      },
      {
        startPosition: earliestEventPosition,
        maxBatchSize: 500,
        maxWaitTimeInSeconds: 1,
        prefetchCount: 1_000,
        skipParsingBodyAsJson: true,
      },
    )
}

export function toEventHubs({ address, stream }: Place, stored: Stored): Write {
  const client = producerOf(eventHubsConnectionString(address, stream))
  return async (records) => {
    const keys = Map.groupBy(records, ({ key }) => key)
    await Promise.all([...keys].map(([key, ofKey]) => send(key, ofKey)))
  }
  async function send(partitionKey: string, records: readonly NaiveRecord[]): Promise<void> {
    for (const part of chunks(records, 500)) {
      await client.sendBatch(
        part.map(({ value, headers }) => ({ body: value, properties: { ...headers } })),
        { partitionKey },
      )
      stored(part.length)
    }
  }
}
