import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { publish, pullAll } from '../../support/pubsub.ts'
import { type RuntimeProcess, startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { sharedPubsub, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../../support/tally.ts'
import { testRun } from '../../support/verifier.ts'
import { createStream, sinkConfig, sourceConfig } from './harness.ts'

/** A killed replica's messages are another's after its lease; the emulator takes a while to see that it is gone. */
const handOver = { within: 120_000 }

/** Pub/Sub → file, stopped again and again while records come; whole bridges in processes of their own. */
async function throughStops(t: TestContext, signal: 'SIGTERM' | 'SIGKILL', replicas: number) {
  const address = await sharedPubsub()
  const stream = uniqueName(t)
  await createStream(address, stream)
  const folder = temporaryDirectory('pubsub-file')
  const path = join(folder, 'out.jsonl')
  const run = testRun({ run: stream, keys: 32 })
  const running = new Set<RuntimeProcess>()
  t.after(async () => {
    for (const runtime of running) await runtime.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const start = async (replica: number): Promise<RuntimeProcess> => {
    const runtime = await startRuntime({
      bridge: { name: 'orders', source: { pubsub: sourceConfig(address, stream) as never }, sink: { file: { path } } },
      leases: join(folder, 'leases'),
      replica: `replica-${replica}`,
    })
    running.add(runtime)
    return runtime
  }
  const send = (count: number): Promise<void> =>
    publish(
      address,
      stream,
      run.take(count).map(({ key, value }) => ({ key, data: value })),
    )
  const lines = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [])
  const exits: unknown[] = []
  for (let round = 0; round < 3; round += 1) {
    const before = lines().length
    const present = await Promise.all(Array.from({ length: replicas }, (_, replica) => start(replica)))
    const sending = send(3_000)
    await eventually('records arrive', () => lines().length > before + 500, undefined, handOver)
    for (const runtime of present) runtime.signal(signal)
    exits.push(...(await Promise.all(present.map((runtime) => runtime.exited()))))
    for (const runtime of present) running.delete(runtime)
    await sending
  }
  await start(0)
  const values = new Set<string>()
  await eventually(
    'all records',
    () => {
      for (const line of lines()) values.add(line.slice(0, line.indexOf(',')))
      return values.size
    },
    (size) => size >= run.sent,
    handOver,
  )
  for (const line of lines()) {
    const { key, value } = JSON.parse(line) as { readonly key: string; readonly value: string }
    run.arrived(key, value)
  }
  return { tally: run.tally(), exits }
}

test('a bridge from Pub/Sub that is told to stop loses, repeats and reorders nothing, and exits with 0', async (t) => {
  const { tally, exits } = await throughStops(t, 'SIGTERM', 1)
  t.diagnostic(tallyLine(tally))
  assertWhole(tally, 0)
  assert.deepEqual(exits, [0, 0, 0])
})

test('a bridge from Pub/Sub that is killed loses and reorders nothing, and repeats at most what was on its way', async (t) => {
  const { tally } = await throughStops(t, 'SIGKILL', 1)
  t.diagnostic(tallyLine(tally))
  assertWhole(tally, 3 * 10_000)
})

test('two replicas of a bridge from Pub/Sub that are told to stop lose and repeat nothing', async (t) => {
  const { tally, exits } = await throughStops(t, 'SIGTERM', 2)
  t.diagnostic(tallyLine(tally))
  const { lost, duplicated, corrupt } = tally
  assert.deepEqual({ lost, duplicated, corrupt }, { lost: 0, duplicated: 0, corrupt: 0 })
  assert.deepEqual(exits, [0, 0, 0, 0, 0, 0])
})

/** generator → Pub/Sub: record n of the generator is always the same, and its number is in the source id. */
async function generatedThroughStops(t: TestContext, signal: 'SIGTERM' | 'SIGKILL') {
  const address = await sharedPubsub()
  const topic = uniqueName(t)
  await createStream(address, topic)
  const folder = temporaryDirectory('generator-pubsub')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const records = 12_000
  const stored: { readonly key: string; readonly position: number }[] = []
  const look = async (): Promise<number> => {
    for (const { orderingKey, attributes } of await pullAll(address, `${topic}-verify`))
      stored.push({ key: orderingKey, position: Number(attributes['streambridge-source-id']?.split('/').at(-1)) })
    return new Set(stored.map(({ position }) => position)).size
  }
  const start = (): Promise<RuntimeProcess> =>
    startRuntime({
      bridge: {
        name: 'load',
        source: { generator: { recordsPerSecond: 4_000, records, keys: 50 } },
        sink: { pubsub: sinkConfig(address, topic) as never },
        delivery: { commitInterval: '200ms' },
      },
      leases: join(folder, 'leases'),
      ready: false,
    })
  const exits: unknown[] = []
  for (let round = 1; round < 3; round += 1) {
    const runtime = await start()
    await eventually('some are stored', look, (count) => count >= round * 2_000, handOver)
    runtime.signal(signal)
    exits.push(await runtime.exited())
  }
  const last = await start()
  t.after(() => last.stop())
  await eventually('all are stored', look, (count) => count >= records, handOver)
  const newest = new Map<string, number>()
  const seen = new Set<number>()
  let reordered = 0
  for (const { key, position } of stored) {
    if (seen.has(position)) continue
    seen.add(position)
    if (position < (newest.get(key) ?? -1)) reordered += 1
    newest.set(key, Math.max(position, newest.get(key) ?? -1))
  }
  return { lost: records - seen.size, reordered, duplicated: stored.length - seen.size, exits }
}

test('a bridge to Pub/Sub that is told to stop loses, repeats and reorders nothing, and exits with 0', async (t) => {
  assert.deepEqual(await generatedThroughStops(t, 'SIGTERM'), { lost: 0, reordered: 0, duplicated: 0, exits: [0, 0] })
})

test('a bridge to Pub/Sub that is killed loses and reorders nothing', async (t) => {
  const { lost, reordered, duplicated } = await generatedThroughStops(t, 'SIGKILL')
  t.diagnostic(`duplicated ${duplicated}`)
  assert.deepEqual({ lost, reordered }, { lost: 0, reordered: 0 })
})
