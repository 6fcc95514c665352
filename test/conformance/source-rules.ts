/** The tests of S1 to S13. */
import assert from 'node:assert/strict'
import type { Position } from '../../bridge-runtime/core/contracts.ts'
import { memoryLeases } from '../../bridge-runtime/lease-stores/memory.ts'
import { eventually } from '../support/eventually.ts'
import { uniqueName } from '../support/shared-servers.ts'
import { assertWhole } from '../support/tally.ts'
import { type TestRun, testRun } from '../support/verifier.ts'
import {
  type ConnectorHarness,
  type ContextOptions,
  openSource,
  byKey,
  type PlainRecord,
  remarkableRecords,
} from './harness.ts'
import { type Reading, type ReadingOptions, settleUpTo, startReading } from './reading.ts'
import type { SourceRule } from './rules.ts'

/** Milliseconds to wait for a partition to change hands: longer than any lease or session of the configurations. */
const handOver = { within: 90_000 }

interface Stage {
  readonly harness: ConnectorHarness
  readonly target: string
  readonly stream: string
  send(records: readonly PlainRecord[]): Promise<void>
  /** Starts a source; all of one stage are the same bridge. */
  read(options?: ContextOptions, reading?: ReadingOptions): Promise<Reading>
}

async function setStage(harness: ConnectorHarness, partitions: number, target?: string): Promise<Stage> {
  const server = target ?? (await harness.target())
  const stream = uniqueName('conformance')
  await harness.createStream(server, stream, partitions)
  return stageOf(harness, server, stream)
}

function stageOf(harness: ConnectorHarness, target: string, stream: string): Stage {
  const leases = memoryLeases()
  return {
    harness,
    target,
    stream,
    send: (records) => harness.produce(target, stream, records),
    read: async (options, reading) =>
      startReading(
        await openSource(harness, harness.sourceConfig(target, stream), { leases, name: stream, ...options }),
        reading,
      ),
  }
}

/** So many records, or as many as come without settling any. */
const upTo = (count: number, { unsettled = count }: ConnectorHarness): number => Math.min(count, unsettled)

/** Settles as records come where they would not come otherwise. */
const flowing = ({ unsettled }: ConnectorHarness): ReadingOptions => ({ settles: unsettled !== undefined })

const received = (reading: Reading, count: number): Promise<unknown> =>
  eventually(
    `${count} records`,
    () => reading.received.length,
    (length) => length >= count,
    handOver,
  )

/** How many partitions a stream of so many shows: one, where the service itself shares its records out. */
const shown = ({ connector }: ConnectorHarness, partitions: number): number =>
  connector.source?.partitioned === true ? partitions : 1

/** Positions as they must be: in their order, where partitions have one over all keys. */
function positions({ connector }: ConnectorHarness, records: readonly { readonly position: Position }[]): Position[] {
  const found = records.map(({ position }) => position)
  return connector.source?.partitioned === true ? found : found.map(String).sort((a, b) => a.localeCompare(b))
}

function check(run: TestRun, readings: readonly Reading[]): void {
  for (const reading of readings)
    for (const { key, value } of reading.received) run.arrived(key?.toString() ?? null, value)
}

export const movingTests = {
  S1: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 3)
    const reading = await stage.read()
    const partitions = shown(harness, 3)
    await eventually('all partitions', () => reading.readers.size === partitions, undefined, handOver)
    assert.equal(reading.partitions, harness.connector.source?.partitioned === true ? 3 : undefined)
    assert.equal(reading.connected, true)
    assert.equal(new Set(reading.assigned.map(({ partition }) => partition)).size, partitions)
    await reading.stop()
    assert.equal(reading.readers.size, 0)
    assert.deepEqual(reading.received, [])
  },
  S2: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 3)
    const run = testRun({ run: stage.stream, keys: 20 })
    await stage.send(run.take(1500))
    const reading = await stage.read({}, flowing(harness))
    await received(reading, 750)
    await stage.send(run.take(1500))
    await received(reading, 3000)
    await reading.stop()
    check(run, [reading])
    assertWhole(run.tally(), 0)
  },
  S3: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 2)
    const run = testRun({ run: stage.stream, keys: 20 })
    const count = upTo(500, harness)
    await stage.send(run.take(count))
    const first = await stage.read()
    await received(first, count)
    await first.stop('abandon')
    const second = await stage.read({ replica: 'replica-1' })
    await received(second, count)
    await second.stop()
    check(run, [second])
    assertWhole(run.tally(), 0)
  },
  S4: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 1)
    const run = testRun({ run: stage.stream, keys: 5 })
    const count = upTo(300, harness)
    const committed = Math.floor(count * 0.4)
    await stage.send(run.take(count))
    const first = await stage.read()
    await received(first, count)
    const middle = first.received[committed - 1] ?? assert.fail()
    await first.commit(middle.partition, middle.position)
    await first.stop('abandon')
    const second = await stage.read()
    await received(second, count - committed)
    await second.stop()
    assert.deepEqual(positions(harness, second.received), positions(harness, first.received.slice(committed)))
    const third = await stage.read()
    await stage.send(run.take(1))
    await received(third, 1)
    await third.stop()
    assert.equal(third.received.length, 1, 'what the second committed is not read again')
  },
  S5: async (harness: ConnectorHarness) => {
    const remarkable = remarkableRecords(harness)
    const stage = await setStage(harness, 1)
    await stage.send(remarkable)
    const reading = await stage.read()
    await received(reading, remarkable.length)
    await reading.stop()
    // Of different keys there may be no order.
    const sent = byKey(remarkable).map(({ key, value, headers = {}, timestamp }) => ({
      key,
      value,
      headers,
      timestamp,
    }))
    const seen = byKey(reading.received.map((record) => ({ ...record, key: record.key?.toString() ?? null }))).map(
      (record, index) => ({
        key: record.key,
        value: record.value,
        headers: Object.fromEntries(record.headers.map(({ name, value }) => [name, value?.toString()])),
        timestamp: sent[index]?.timestamp === undefined ? undefined : record.timestamp,
      }),
    )
    assert.deepEqual(seen, sent)
  },
  S6: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 2)
    const reading = await stage.read()
    await eventually('all partitions', () => reading.readers.size === shown(harness, 2), undefined, handOver)
    let ended = false
    const stopping = reading.stop().then(() => (ended = true))
    await eventually('the end', () => ended, undefined, handOver)
    await stopping
  },
  S7: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 2)
    const run = testRun({ run: stage.stream, keys: 40 })
    await stage.send(run.take(2000))
    const held = new Set<string>()
    let open = false
    const asks = (partition: string): boolean => {
      if (held.size === 0) held.add(partition)
      return open || !held.has(partition)
    }
    const reading = await stage.read({}, { asks })
    await eventually('both partitions', () => reading.readers.size === 2, undefined, handOver)
    await eventually('records of the other', () => reading.received.length > 0, undefined, handOver)
    assert.ok(reading.received.every(({ partition }) => !held.has(partition)))
    open = true
    await received(reading, 2000)
    await reading.stop()
    check(run, [reading])
    assertWhole(run.tally(), 0)
  },
  S8: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 1)
    const run = testRun({ run: stage.stream, keys: 5 })
    await stage.send(run.take(200))
    const reading = await stage.read()
    await received(reading, 200)
    await reading.commitAll()
    await eventually(
      'no lag',
      () => [...reading.readers.values()].map((reader) => reader.lag()),
      (lags) => lags.length === 1 && lags.every((lag) => lag.kind === 'known' && (lag.records ?? lag.seconds) === 0),
      handOver,
    )
    for (const reader of reading.readers.values()) {
      const lag = reader.lag()
      if (lag.kind === 'known') assert.ok(lag.records !== undefined || lag.seconds !== undefined)
      else assert.notEqual(lag.reason, '')
    }
    await reading.stop()
  },
  S9: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 1)
    const run = testRun({ run: stage.stream, keys: 5 })
    await stage.send(run.take(100))
    const first = await stage.read()
    await received(first, 100)
    await first.stop('abandon')
    const [old] = first.assigned
    const last = first.received.at(-1)
    assert.ok(old && last)
    const second = await stage.read({ replica: 'replica-1' })
    await received(second, 100)
    await settleUpTo(old, first.batchesOf(old), last.position).catch(() => undefined)
    await second.stop('abandon')
    const third = await stage.read({ replica: 'replica-2' })
    await received(third, 100)
    await third.stop('abandon')
    assert.deepEqual(positions(harness, third.received), positions(harness, first.received))
  },
  S10: async (harness: ConnectorHarness) => {
    const target = await harness.target()
    const stage = stageOf(harness, target, uniqueName('missing'))
    const reading = await stage.read()
    const error = await eventually('an error', () => reading.errors.at(-1), undefined, handOver)
    assert.equal(error.kind, 'fatal')
    assert.match(error.message, new RegExp(stage.stream))
    await harness.createStream(target, stage.stream, 1)
    await stage.send([{ key: 'a', value: Buffer.from('first') }])
    await received(reading, 1)
    assert.equal(reading.connected, true)
    await reading.stop()
  },
  S11: async (harness: ConnectorHarness) => {
    const server = await harness.interruption()
    try {
      const stage = await setStage(harness, 2, server.target)
      const run = testRun({ run: stage.stream, keys: 20 })
      await stage.send(run.take(500))
      const reading = await stage.read({}, flowing(harness))
      await received(reading, 500)
      await server.interrupt()
      await stage.send(run.take(500))
      const different = (): number => new Set(reading.received.map((each) => `${each.partition} ${each.position}`)).size
      await eventually('all records', different, (count) => count >= 1000, handOver)
      await reading.stop()
      check(run, [reading])
      const { lost, reordered, corrupt } = run.tally()
      assert.deepEqual({ lost, reordered, corrupt }, { lost: 0, reordered: 0, corrupt: 0 })
    } finally {
      await server.stop()
    }
  },
  S12: async (harness: ConnectorHarness) => {
    const wrong = await harness.wrongCredentials?.(uniqueName('credentials'))
    assert.ok(wrong, 'the harness has a server that demands credentials, or an exception')
    try {
      const source = await openSource(harness, wrong.source, { secrets: wrong.secrets })
      const reading = startReading(source)
      const error = await eventually('an error', () => reading.errors.at(-1), undefined, handOver)
      assert.deepEqual([error.kind, error.reason], ['fatal', 'AuthenticationFailed'])
      for (const { message, stack } of reading.errors) assert.ok(!`${message}${stack}`.includes(wrong.canary))
      await reading.stop()
    } finally {
      await wrong.stop()
    }
  },
  S13: async (harness: ConnectorHarness) => {
    const stage = await setStage(harness, 4)
    const run = testRun({ run: stage.stream, keys: 40 })
    const first = await stage.read({ replica: 'replica-0' })
    await eventually('four partitions', () => first.readers.size === 4, undefined, handOver)
    const second = await stage.read({ replica: 'replica-1' })
    const shared = (): boolean => first.readers.size === 2 && second.readers.size === 2
    await eventually('two partitions each', shared, undefined, handOver)
    assert.ok([...first.readers.keys()].every((partition) => !second.readers.has(partition)))
    await stage.send(run.take(1000))
    await eventually('all records', () => first.received.length + second.received.length >= 1000, undefined, handOver)
    await first.stop()
    await stage.send(run.take(1000))
    await eventually('all records', () => first.received.length + second.received.length >= 2000, undefined, handOver)
    await second.stop()
    check(run, [first, second])
    assertWhole(run.tally(), 0)
  },
} satisfies Partial<Record<SourceRule, (harness: ConnectorHarness) => Promise<void>>>
