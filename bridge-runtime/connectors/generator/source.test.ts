import assert from 'node:assert/strict'
import test from 'node:test'
import { fakeClock } from '../../../test/support/fake-clock.ts'
import type { PartitionReader, Progress, SourceHost } from '../../core/contracts.ts'
import { memoryLeases } from '../../lease-stores/memory.ts'
import { silentLogger } from '../../observability/logger.ts'
import { accessLogRecord, keysOf } from './access-log.ts'
import { generatorSource } from './schema.ts'
import { openGeneratorSource } from './source.ts'
import { historyOn } from '../../../test/support/leases/history.ts'

const combined =
  /^(10\.\d+\.\d+\.\d+) - - \[\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} \+0000\] "[A-Z]+ \/\S*\?rid=(\d+)-(\d+) HTTP\/1\.1" \d{3} (\d+|-) "[^"]+" "[^"]+"$/

test('each key belongs to one partition and one address, and its records are numbered without a gap', () => {
  for (const { keys, partitions } of [
    { keys: 16, partitions: 3 },
    { keys: 1, partitions: 1 },
    { keys: 5, partitions: 5 },
  ]) {
    const log = { seed: 7, keys, partitions }
    const next = new Map<string, number>()
    const addresses = new Map<string, string>()
    for (let partition = 0; partition < partitions; partition += 1) {
      for (let n = 0; n < keysOf(log, partition) * 20; n += 1) {
        const { key, value } = accessLogRecord(log, partition, n)
        const [, address = '', number = '', sequence = ''] = combined.exec(value) ?? []
        assert.equal(address, key)
        assert.equal(Number(number) % partitions, partition)
        assert.equal(Number(sequence), next.get(number) ?? 0)
        assert.equal(addresses.get(address) ?? number, number)
        next.set(number, Number(sequence) + 1)
        addresses.set(address, number)
      }
    }
    assert.equal(addresses.size, keys)
  }
})

test('a record is the same each time, and another with another seed', () => {
  const log = { seed: 1, keys: 100, partitions: 2 }
  assert.deepEqual(accessLogRecord(log, 1, 12_345), accessLogRecord(log, 1, 12_345))
  assert.notDeepEqual(accessLogRecord(log, 1, 12_345), accessLogRecord({ ...log, seed: 2 }, 1, 12_345))
})

function generating(config: object) {
  const clock = fakeClock()
  const leases = memoryLeases()
  const readers: PartitionReader[] = []
  const host: SourceHost = {
    assigned: (reader) => void readers.push(reader),
    revoked: async () => undefined,
    connection: () => undefined,
    waiting: () => undefined,
    partitions: () => undefined,
    repeated: () => undefined,
  }
  const stop = new AbortController()
  const begin = async () => {
    const source = await openGeneratorSource(generatorSource.parse(config), {
      bridge: { namespace: 'default', name: 'demo' },
      replica: 'replica-0',
      secret: async () => Buffer.alloc(0),
      leases,
      history: historyOn(leases),
      clock,
      log: silentLogger,
      field: 'spec.source.generator',
      onDataGap: 'Stop',
      throttled: () => undefined,
    })
    return source.run(host, stop.signal)
  }
  return { clock, readers, begin, stop }
}

const commit = async (reader: PartitionReader | undefined, progress: Progress): Promise<void> => {
  assert.ok(reader?.settlement.kind === 'watermark')
  await reader.settlement.commit(progress)
}

test('records come at the rate, and what nobody asked for in time is not made up for', async () => {
  const { clock, readers, begin, stop } = generating({ recordsPerSecond: 100 })
  const done = begin()
  await clock.advance(1)
  const [reader] = readers
  assert.ok(reader)
  await clock.advance(500)
  const batch = await reader.poll(stop.signal)
  assert.ok(typeof batch === 'object' && batch.count >= 49 && batch.count <= 51)
  await clock.advance(60_000)
  const late = await reader.poll(stop.signal)
  assert.ok(typeof late === 'object' && late.count <= 101)
  stop.abort()
  await clock.advance(10_000)
  await done
})

test('a limited generator ends after its records, goes on behind its checkpoint, and run resolves when all is settled', async () => {
  const { clock, readers, begin } = generating({ recordsPerSecond: 1_000, records: 25, partitions: 2 })
  let finished = false
  const done = begin().then(() => {
    finished = true
  })
  await clock.advance(2_000)
  const counts: number[] = []
  for (const reader of readers) {
    const batch = await reader.poll(new AbortController().signal)
    assert.ok(typeof batch === 'object')
    counts.push(batch.count)
    assert.equal(await reader.poll(new AbortController().signal), 'end')
    await commit(reader, { position: batch.last, ended: true })
  }
  assert.deepEqual(
    counts.sort((a, b) => a - b),
    [12, 13],
  )
  await clock.advance(5_000)
  assert.ok(finished)
  await done
})
