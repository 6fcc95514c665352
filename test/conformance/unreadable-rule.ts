/** The test of S16. */
import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.ts'
import { uniqueName } from '../support/shared-servers.ts'
import { type ConnectorHarness, openSource } from './harness.ts'
import { startReading } from './reading.ts'

export async function handsOnWhatCannotBeRead(harness: ConnectorHarness): Promise<void> {
  const { unreadable } = harness
  assert.ok(unreadable, 'the harness has a record that cannot be read, or an exception')
  const target = await harness.target()
  const stream = uniqueName('conformance')
  await harness.createStream(target, stream, 1)
  await harness.produce(target, stream, [{ key: 'k', value: Buffer.from('before') }])
  await unreadable(target, stream)
  await harness.produce(target, stream, [{ key: 'k', value: Buffer.from('behind') }])
  const reading = startReading(await openSource(harness, harness.sourceConfig(target, stream), { name: stream }))
  await eventually('three records', () => reading.received.length >= 3, undefined, { within: 90_000 })
  await reading.stop()
  const readable = reading.received.filter(({ poison }) => poison === undefined)
  assert.deepEqual(
    readable.map(({ value }) => `${value}`),
    ['before', 'behind'],
  )
  const [poison] = reading.received.filter((record) => record.poison !== undefined)
  assert.equal(poison?.poison?.kind, 'poison')
  assert.notEqual(poison.value?.length ?? 0, 0, 'it has its bytes')
  assert.equal(new Set(reading.received.map(({ position }) => position)).size, 3)
}
