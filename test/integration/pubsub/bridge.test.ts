import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { pullAll } from '../../support/pubsub.ts'
import { type RuntimeProcess, startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { sharedPubsub, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../../support/tally.ts'
import { createStream, sinkConfig } from './harness.ts'
import { emulator, orderedService, throughStops } from './through-stops.ts'

const handOver = { within: 120_000 }

test('a bridge from Pub/Sub that is told to stop loses, reorders and repeats nothing, and exits with 0', async (t) => {
  const { tally, exits } = await throughStops(t, await emulator(t), 'SIGTERM', 1)
  t.diagnostic(tallyLine(tally))
  assertWhole(tally, 0)
  assert.deepEqual(exits, [0, 0, 0])
})

test('a bridge from Pub/Sub that is killed loses and reorders nothing, and repeats at most what was on its way', async (t) => {
  const { tally } = await throughStops(t, await emulator(t), 'SIGKILL', 1)
  t.diagnostic(tallyLine(tally))
  assertWhole(tally, 3 * 10_000)
})

test('two replicas of a bridge from Pub/Sub that are told to stop lose, reorder and repeat nothing', async (t) => {
  const { tally, exits } = await throughStops(t, await emulator(t), 'SIGTERM', 2)
  t.diagnostic(tallyLine(tally))
  assertWhole(tally, 0)
  assert.deepEqual(exits, [0, 0, 0, 0, 0, 0])
})

test('over streams, a bridge from Pub/Sub that is told to stop keeps it, repeating nothing', async (t) => {
  const { tally } = await throughStops(t, await orderedService(t), 'SIGTERM', 1)
  t.diagnostic(tallyLine(tally))
  assertWhole(tally, 0)
})

test('over streams, a bridge from Pub/Sub that is killed keeps it', async (t) => {
  const { tally } = await throughStops(t, await orderedService(t), 'SIGKILL', 1)
  t.diagnostic(tallyLine(tally))
  assertWhole(tally, 3 * 10_000)
})

/** generator → Pub/Sub: record n of the generator is always the same, and its number is in the source id. */
async function generatedThroughStops(t: TestContext, signal: 'SIGTERM' | 'SIGKILL') {
  const address = await sharedPubsub()
  const topic = uniqueName(t)
  await createStream(address, topic)
  const folder = temporaryDirectory('generator-pubsub')
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
