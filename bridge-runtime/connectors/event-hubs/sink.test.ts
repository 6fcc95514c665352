import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sinkBatch } from '../../../test/support/sink-batch.ts'
import { realClock } from '../../core/clock.ts'
import type { HubApi } from './hub.ts'
import { eventHubsSink } from './sink.ts'

const never = new AbortController().signal
const field = 'spec.delivery.deadLetter.eventHubs'

/** What a sink with batches of 2 KiB says of an event of 3,000 bytes, where the service allows so many a message. */
async function told(maxMessageSize: number): Promise<string | undefined> {
  const link = { maxMessageSize, open: true, close: () => undefined, send: () => Promise.resolve() }
  const api = { describe: () => Promise.resolve({ partitions: ['0'] }), sender: () => Promise.resolve(link) }
  const limits = { maxRecords: 10, maxBatchBytes: '2Ki' }
  const sink = eventHubsSink(api as unknown as HubApi, { limits }, { clock: realClock, field })
  await sink.open(never)
  const failures = await sink.write(sinkBatch([{ value: Buffer.alloc(3_000) }]), never)
  return failures.get(0)?.message
}

test('a message about a limit names the field of this sink', async () => {
  assert.match(
    (await told(1_048_576)) ?? '',
    /larger than a batch may be \(2048\): raise spec\.delivery\.deadLetter\.eventHubs\.limits\.maxBatchBytes/,
  )
})

test('where the service allows less than the field, the field is not what to raise', async () => {
  assert.match(
    (await told(1_024)) ?? '',
    /larger than a batch may be \(1024\): the tier of the namespace allows no larger one$/,
  )
})
