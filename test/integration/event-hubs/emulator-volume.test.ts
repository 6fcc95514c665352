import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type ReceivedEventData } from '@azure/event-hubs'
import { startEventHubs } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import { consumerOf, producerOf, read } from '../../support/event-hubs-sdk.ts'

const partitions = ['0', '1', '2', '3']
const perPartition = 25_000
const batchSize = 250

const server = await startEventHubs({ hubs: { volume: 4 } })
after(() => server.stop())
const connection = server.connectionString('volume')

/** Sends until an answer came: what was in flight at the kill may be stored twice. */
async function fill(partitionId: string, progress: () => void): Promise<number> {
  await using producer = producerOf(connection)
  let again = 0
  for (let from = 0; from < perPartition; from += batchSize) {
    const events = Array.from({ length: batchSize }, (_, index) => ({ body: Buffer.from(String(from + index)) }))
    for (;;) {
      const sent = await producer.sendBatch(events, { partitionId }).then(
        () => true,
        () => false,
      )
      if (sent) break
      again += 1
    }
    progress()
  }
  return again
}

const numberOf = ({ body }: ReceivedEventData): number => Number((body as Buffer).toString())

test('100,000 events over 4 partitions keep their order, through a kill and a restart in the middle', async () => {
  await using consumer = consumerOf(connection)
  const readings = partitions.map((partition) => read(consumer, { partition, ownerLevel: 1, maxBatchSize: 500 }))
  let batches = 0
  const filling = Promise.all(partitions.map((partition) => fill(partition, () => (batches += 1))))
  const middle = (perPartition / batchSize) * 2
  await eventually(
    'half is sent',
    () => batches,
    (count) => count >= middle,
    { within: 240_000 },
  )
  await server.kill()
  await server.restart()
  await filling
  const { partitions: stored } = await server.admin.hub('volume')
  for (const [index, reading] of readings.entries()) {
    const expected = stored[index]?.nextSequenceNumber ?? 0
    await eventually(
      `all of partition ${index}`,
      () => reading.events.length,
      (count) => count >= expected,
      { within: 240_000 },
    )
    // The reader goes on where it was: each sequence number once, none left out.
    assert.deepEqual(
      reading.events.map(({ sequenceNumber }) => sequenceNumber),
      Array.from({ length: expected }, (_, n) => n),
    )
    const numbers = reading.events.map(numberOf)
    const firsts = numbers.filter((number, at) => numbers.indexOf(number, Math.max(0, at - 2 * batchSize)) === at)
    assert.deepEqual(
      firsts,
      Array.from({ length: perPartition }, (_, n) => n),
    )
    const duplicates = numbers.length - firsts.length
    assert.ok(duplicates <= batchSize, `${duplicates} events twice, one batch may be`)
    await reading.close()
  }
})
