/** The tests of K1 to K12. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type BridgeRecord, type Sink, type SinkBatch, sourceIdHeader } from '../../bridge-runtime/core/contracts.ts'
import { asBridgeError, type BridgeError } from '../../bridge-runtime/core/errors.ts'
import { eventually } from '../support/eventually.ts'
import { uniqueName } from '../support/shared-servers.ts'
import { assertWhole } from '../support/tally.ts'
import { type TestRecord, type TestRun, testRun } from '../support/verifier.ts'
import { byKey, type ConnectorHarness, openSink, type PlainRecord, remarkableRecords } from './harness.ts'
import type { SinkRule } from './rules.ts'
import { sinkBatch } from '../support/sink-batch.ts'

const never = new AbortController().signal
const patience = { within: 90_000 }

interface Stage extends AsyncDisposable {
  readonly sink: Sink
  readonly stream: string
  stored(): Promise<readonly PlainRecord[]>
}

async function setStage(harness: ConnectorHarness, partitions = 2, target?: string): Promise<Stage> {
  const server = target ?? (await harness.target())
  const stream = uniqueName('conformance')
  await harness.createStream(server, stream, partitions)
  const sink = await openSink(harness, harness.sinkConfig(server, stream))
  // A server that has just started may refuse for a moment.
  await eventually('it opens', () => sink.open(never).then(() => true), undefined, patience)
  return {
    sink,
    stream,
    stored: () => harness.readAll(server, stream),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
}

const recordOf = (
  { key, value, headers = {}, timestamp = Date.now() }: PlainRecord,
  position: number,
): BridgeRecord => ({
  key: key === null ? null : Buffer.from(key),
  value,
  headers: Object.entries(headers).map(([name, text]) => ({ name, value: Buffer.from(text) })),
  timestamp,
  position,
})

const batchOf = (records: readonly PlainRecord[], partition = 'p0', firstPosition = 0): SinkBatch =>
  sinkBatch(
    records.map((record, index) => recordOf(record, firstPosition + index)),
    { stream: 'test/conformance', partition },
  )

/** Sends what failed again, in its order, until nothing fails, as the engine does. */
async function deliver(sink: Sink, records: readonly TestRecord[], partition: string): Promise<number> {
  let repeated = 0
  for (let rest = records; rest.length > 0; ) {
    const { failed } = await writeAny(sink, batchOf(rest, partition))
    rest = rest.filter((_, index) => failed.has(index))
    repeated += rest.length
    if (rest.length > 0) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return repeated
}

/**
 * Writes as the engine does: a rejection is a failure of every record that was not reported stored.
 * @param early called with what is reported before the result
 */
async function writeAny(
  sink: Sink,
  batch: SinkBatch,
  { signal = never, early }: { signal?: AbortSignal; early?: (indexes: readonly number[]) => void } = {},
): Promise<{ readonly failed: ReadonlySet<number> }> {
  const reported = new Set<number>()
  const stored = (indexes: readonly number[]): void => {
    for (const index of indexes) {
      assert.ok(index >= 0 && index < batch.count && !reported.has(index), `${index} is reported once`)
      reported.add(index)
    }
    early?.(indexes)
  }
  try {
    const failed = new Set((await sink.write(batch, signal, stored)).keys())
    assert.ok(![...reported].some((index) => failed.has(index)), 'what was reported stored is in no failure')
    return { failed }
  } catch (thrown) {
    if (thrown instanceof assert.AssertionError) throw thrown
    const failed = [...batch.records().keys()].filter((index) => !reported.has(index))
    return { failed: new Set(failed) }
  }
}

async function assertStored(stage: Stage, run: TestRun, maxDuplicates = 0): Promise<void> {
  for (const { key, value } of await stage.stored()) run.arrived(key, value)
  assertWhole(run.tally(), maxDuplicates)
}

async function openError(sink: Sink): Promise<BridgeError> {
  try {
    await sink.open(never)
  } catch (thrown) {
    return asBridgeError(thrown)
  }
  throw new assert.AssertionError({ message: 'the sink opened' })
}

const keysOf = (records: readonly PlainRecord[]): string[] =>
  records.map(({ key }) => key ?? '').sort((a, b) => a.localeCompare(b))

const chunks = (run: TestRun, count: number, size: number): TestRecord[][] =>
  Array.from({ length: count }, () => run.take(size))

export const sinkTests: Readonly<Record<SinkRule, (harness: ConnectorHarness) => Promise<void>>> = {
  K1: async (harness) => {
    await using stage = await setStage(harness, 3)
    const run = testRun({ run: stage.stream, keys: 20 })
    for (const records of chunks(run, 10, 200)) await deliver(stage.sink, records, 'p0')
    await assertStored(stage, run)
  },
  K2: async (harness) => {
    // Of different keys there may be no order.
    const remarkable = byKey(remarkableRecords(harness))
    await using stage = await setStage(harness, 1)
    const result = await stage.sink.write(batchOf(remarkable), never)
    const refused = remarkable.filter((_, index) => result.has(index))
    assert.deepEqual(refused, [])
    const stored = byKey(await stage.stored()).map(({ headers = {}, ...record }, index) => ({
      ...record,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== sourceIdHeader)),
      timestamp: remarkable[index]?.timestamp === undefined ? undefined : record.timestamp,
    }))
    assert.deepEqual(
      stored,
      remarkable.map(({ headers = {}, timestamp, ...record }) => ({ ...record, headers, timestamp })),
    )
  },
  K3: async (harness) => {
    await using stage = await setStage(harness)
    const records = ['a', 'b', 'c'].map((key) => ({ key, value: Buffer.from(`${key}-value`) }))
    const large = { key: 'large', value: randomBytes(harness.tooLarge) }
    const result = await stage.sink.write(batchOf(records.toSpliced(1, 0, large)), never)
    assert.deepEqual([...result.keys()], [1])
    assert.deepEqual([result.get(1)?.kind, result.get(1)?.reason], ['poison', 'RecordTooLarge'])
    assert.deepEqual(keysOf(await stage.stored()), ['a', 'b', 'c'])
  },
  K4: async (harness) => {
    await using stage = await setStage(harness)
    const small = { key: 'same', value: Buffer.from('small') }
    const large = { key: 'same', value: randomBytes(harness.tooLarge) }
    const other = { key: 'other', value: Buffer.from('other') }
    const result = await stage.sink.write(batchOf([small, large, small, other]), never)
    assert.equal(result.get(1)?.kind, 'poison')
    assert.equal(result.get(2)?.kind, 'retryable')
    assert.deepEqual(keysOf(await stage.stored()), ['other', 'same'])
  },
  K5: async (harness) => {
    await using stage = await setStage(harness)
    const { maxRecords, maxBytes } = stage.sink.limits
    assert.ok(maxRecords >= 1 && maxBytes >= 1)
    const many = testRun({ run: `${stage.stream}-many`, keys: 100, bytes: 64 })
    const bytes = 100
    await deliver(stage.sink, many.take(Math.min(maxRecords, Math.floor(maxBytes / bytes), 20_000)), 'p0')
    await assertStored(stage, many)
    const heavy = testRun({ run: `${stage.stream}-heavy`, keys: 100, bytes: 50_000 })
    await deliver(stage.sink, heavy.take(Math.max(1, Math.min(maxRecords, Math.floor(maxBytes / 50_010), 100))), 'p0')
    await assertStored(stage, heavy)
  },
  K6: async (harness) => {
    await using stage = await setStage(harness, 4)
    const runs = Array.from({ length: 8 }, (_, lane) => testRun({ run: `${stage.stream}-${lane}`, keys: 5 }))
    await Promise.all(
      runs.map(async (run, lane) => {
        for (const records of chunks(run, 10, 50)) await deliver(stage.sink, relabel(records, lane), `p${lane}`)
      }),
    )
    const stored = await stage.stored()
    for (const [lane, run] of runs.entries()) {
      const prefix = `${lane}-`
      for (const { key, value } of stored)
        if (key?.startsWith(prefix) === true) run.arrived(key.slice(prefix.length), value)
      assertWhole(run.tally(), 0)
    }
  },
  K7: async (harness) => {
    const server = await harness.interruption()
    try {
      await using stage = await setStage(harness, 2, server.target)
      const run = testRun({ run: stage.stream, keys: 20 })
      let repeated = 0
      const send = async (): Promise<void> => void (repeated += await deliver(stage.sink, run.take(50), 'p0'))
      while (run.sent < 1000) await send()
      const mended = new AbortController()
      const interruption = server.interrupt().finally(() => mended.abort())
      while (!mended.signal.aborted) await send()
      await interruption
      for (const end = run.sent + 1000; run.sent < end; ) await send()
      await eventually('a stored record', async () => (await stage.stored()).length > 0, undefined, patience)
      await assertStored(stage, run, repeated)
    } finally {
      await server.stop()
    }
  },
  K8: async (harness) => {
    const target = await harness.target()
    const stream = uniqueName('missing')
    await using sink = await openSink(harness, harness.sinkConfig(target, stream))
    const error = await openError(sink)
    assert.equal(error.kind, 'fatal')
    assert.match(error.message, new RegExp(stream))
    await harness.createStream(target, stream, 1)
    await eventually('it opens', () => sink.open(never).then(() => true), undefined, patience)
    assert.equal((await sink.write(batchOf([{ key: 'a', value: Buffer.from('1') }]), never)).size, 0)
  },
  K9: async (harness) => {
    await using stage = await setStage(harness)
    const stop = new AbortController()
    const run = testRun({ run: stage.stream, keys: 5 })
    const outcome = stage.sink.write(batchOf(run.take(100)), stop.signal).catch(() => undefined)
    stop.abort()
    let ended = false
    void outcome.then(() => (ended = true))
    await eventually('the end of the write', () => ended)
    const late = await stage.sink.write(batchOf(run.take(5)), stop.signal).catch(() => undefined)
    assert.ok(late === undefined || late.size === 0 || late.size === 5)
  },
  K10: async (harness) => {
    const wrong = await harness.wrongCredentials?.(uniqueName('credentials'))
    assert.ok(wrong, 'the harness has a server that demands credentials, or an exception')
    try {
      await using sink = await openSink(harness, wrong.sink, { secrets: wrong.secrets })
      const error = await openError(sink)
      assert.deepEqual([error.kind, error.reason], ['fatal', 'AuthenticationFailed'])
      assert.ok(!`${error.message}${error.stack}`.includes(wrong.canary))
    } finally {
      await wrong.stop()
    }
  },
  K11: async (harness) => {
    await using stage = await setStage(harness, 1)
    await stage.sink.write(batchOf([{ key: 'a', value: Buffer.from('1') }], 'p7', 41), never)
    const [stored] = await stage.stored()
    assert.equal(stored?.headers?.[sourceIdHeader], 'test/conformance/p7/41')
  },
  // What was reported is never sent again: had it not been stored, it would be lost.
  K12: async (harness) => {
    await using stage = await setStage(harness, 2)
    const run = testRun({ run: stage.stream, keys: 5, bytes: 2_000 })
    let repeated = 0
    for (let write = 0; write < 5; write += 1) {
      const records = run.take(200)
      const stop = new AbortController()
      const early = (): void => stop.abort()
      const { failed } = await writeAny(stage.sink, batchOf(records), { signal: stop.signal, early })
      repeated += failed.size
      const rest = records.filter((_, index) => failed.has(index))
      repeated += await deliver(stage.sink, rest, 'p0')
    }
    await assertStored(stage, run, repeated)
  },
}

const relabel = (records: readonly TestRecord[], lane: number): TestRecord[] =>
  records.map((record) => ({ ...record, key: `${lane}-${record.key}` }))
