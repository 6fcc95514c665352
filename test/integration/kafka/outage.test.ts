import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { allDelivered, type BridgeRecord, type Sink } from '../../../bridge-runtime/core/contracts.ts'
import { asBridgeError } from '../../../bridge-runtime/core/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { createTopic, startKafka } from '../../support/kafka.ts'
import { uniqueName } from '../../support/shared-servers.ts'
import { openSink, read, write } from './harness.ts'
import { committedOffsets, consumeAll } from './verify.ts'

const server = await startKafka()
const address = server.bootstrapServers
after(() => server.stop())

/** As the engine does: what failed is written again, in its order. */
async function writeUntilDelivered(sink: Sink, records: readonly Partial<BridgeRecord>[]): Promise<number> {
  let open = records
  let failures = 0
  while (open.length > 0) {
    const result = await write(sink, open).catch(
      (thrown: unknown) => new Map(open.map((_, index) => [index, asBridgeError(thrown)])),
    )
    failures += result.size
    open = open.filter((_, index) => result.has(index))
  }
  return failures
}

test('through a broker that is killed under load, nothing is lost, every key keeps its order, and only what was in flight is doubled', async () => {
  const topic = uniqueName('killed')
  await createTopic(address, topic, { partitions: 3 })
  await using sink = await openSink({ bootstrapServers: [address], topic, requestTimeout: '5s' })
  await using reading = await read({
    bootstrapServers: [address],
    topics: [topic],
    consumerGroup: topic,
    sessionTimeout: '60s',
  })
  await eventually('it reads', () => reading.readers.size === 3)
  const stopped = new AbortController()
  const lane = async (name: string): Promise<number> => {
    let sequence = 0
    while (!stopped.signal.aborted) {
      const records = Array.from({ length: 50 }, () => ({
        key: Buffer.from(name),
        value: Buffer.from(String(sequence++)),
      }))
      await writeUntilDelivered(sink, records)
    }
    return sequence
  }
  const lanes = ['a', 'b', 'c', 'd'].map((name) => lane(name))
  await eventually('records flow', () => reading.records.length > 2_000)
  await server.kill()
  await eventually('the outage is told', () => reading.connections.at(-1)?.reason === 'BrokerUnreachable')
  await server.restart()
  const before = reading.records.length
  await eventually('records flow again', () => reading.records.length > before + 2_000, Boolean, { within: 60_000 })
  assert.equal(reading.connections.at(-1), undefined, 'the connection is told to work again')
  stopped.abort()
  const counts = await Promise.all(lanes)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const valuesOf = (name: string): number[] =>
    reading.records.filter(({ key }) => String(key) === name).map(({ value }) => Number(value))
  const distinct = (): number => ['a', 'b', 'c', 'd'].reduce((sum, name) => sum + new Set(valuesOf(name)).size, 0)
  await eventually('all are read', distinct, (count) => count === total, { within: 60_000 })
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
    const firsts = [...new Set(valuesOf(name))]
    assert.deepEqual(
      firsts,
      Array.from({ length: counts[index] ?? 0 }, (_, n) => n),
      `key ${name}`,
    )
    assert.ok(valuesOf(name).length - firsts.length <= 50, 'at most the one write in flight')
  }
  assert.equal(
    new Set(reading.records.map(({ partition, position }) => `${partition} ${position}`)).size,
    reading.records.length,
  )
  const seen = reading.records.length
  await reading.stop()
  const committed = await committedOffsets(address, topic, topic)
  assert.ok([...committed.values()].reduce((sum, offset) => sum + offset, 0) >= seen)
})

test('a broker that stands still is reported, and what it had taken is not stored twice when it wakes', async () => {
  const topic = uniqueName('frozen')
  await createTopic(address, topic, { partitions: 1 })
  await using sink = await openSink({ bootstrapServers: [address], topic, requestTimeout: '1s' })
  assert.deepEqual(await write(sink, [{ key: Buffer.from('k'), value: Buffer.from('0') }]), allDelivered)
  server.pause()
  const writing = writeUntilDelivered(
    sink,
    [1, 2, 3].map((n) => ({ key: Buffer.from('k'), value: Buffer.from(String(n)) })),
  )
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  server.resume()
  await writing
  const found = await consumeAll(address, topic, 4)
  assert.deepEqual(
    found.map(({ value }) => String(value)),
    ['0', '1', '2', '3'],
  )
})
