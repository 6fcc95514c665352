/** Whole bridges that are fed and judged by the vendors' Python clients: no code of ours but the bridge has touched a record. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { type Broker, openEnd } from '../support/ends/brokers.ts'
import { eventually } from '../support/eventually.ts'
import { manifestsOf, runBridge } from '../support/run-bridge.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { assertWhole, tallyLine } from '../support/tally.ts'
import { placeOf, witness } from '../support/witness.ts'

/** Each broker is a source twice and a sink twice. */
const pairs: readonly (readonly [Broker, Broker])[] = [
  ['kafka', 'kinesis'],
  ['kinesis', 'eventHubs'],
  ['eventHubs', 'pubsub'],
  ['pubsub', 'kafka'],
  ['kafka', 'pubsub'],
  ['pubsub', 'eventHubs'],
  ['eventHubs', 'kinesis'],
  ['kinesis', 'kafka'],
]

async function moveAndStop(t: TestContext, [from, to]: readonly [Broker, Broker]): Promise<void> {
  await using source = await openEnd(from)
  await using sink = await openEnd(to)
  const judge = witness({ run: source.stream, marked: source.headers && sink.headers })
  const directory = join(temporaryDirectory('witness'), 'run')
  const manifests = manifestsOf(`${from}-to-${to}`.toLowerCase(), {
    bridge: { name: '', source: source.hastySource, sink: sink.sink },
    secrets: { ...source.secrets, ...sink.secrets },
  })
  await judge.produce(placeOf(source), 1_000)
  const first = await runBridge({ manifests, directory })
  await eventually('records are on their way', async () => (await first.report()).totals.out > 0)
  assert.equal(await first.stop(), 0, first.output())
  await judge.produce(placeOf(source), 1_000)
  const second = await runBridge({ manifests, directory })
  const verdict = await judge.judge(placeOf(sink))
  assert.equal(await second.stop(), 0, second.output())
  t.diagnostic(`${source.broker} → ${sink.broker}: ${tallyLine(verdict, 0)}`)
  assertWhole(verdict, 0)
}

suite('a bridge that is stopped and started again loses, repeats, reorders and changes nothing', {
  concurrency: 2,
}, () => {
  for (const pair of pairs) test(`from ${pair[0]} to ${pair[1]}`, (t) => moveAndStop(t, pair))
})
