/** Examples that move records from one broker to another. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { openEnd } from '../support/ends/brokers.ts'
import { eventually } from '../support/eventually.ts'
import type { RunningBridge } from '../support/run-bridge.ts'
import { pullAll } from '../support/pubsub.ts'
import { sharedPubsub } from '../support/shared-servers.ts'
import { testRun } from '../support/verifier.ts'
import { addressOf, brokerOf, type Example, pointedAt, secretsOf, type Servers } from './example.ts'
import { allArrived, assertCopied, bridgeOf, stopped, type Trial } from './stage.ts'

/** Opens both ends of an example, and a run between them. */
export async function endsOf(t: TestContext, { spec }: Example) {
  const [source, sink] = await Promise.all([openEnd(brokerOf(spec.source)), openEnd(brokerOf(spec.sink))])
  t.after(async () => {
    await source[Symbol.asyncDispose]()
    await sink[Symbol.asyncDispose]()
  })
  const run = testRun({ run: source.stream, keys: 20, marked: source.headers && sink.headers })
  const servers: Servers = {
    source: addressOf(source, 'source'),
    sink: addressOf(sink, 'sink'),
    secrets: secretsOf([source, sink]),
  }
  return { source, sink, run, servers }
}

/** Every record arrives once, with its key and in its order. */
export const copies: Trial = async (t, example) => {
  const { source, sink, run, servers } = await endsOf(t, example)
  const start = bridgeOf(t, pointedAt(example, servers))
  await source.send(run.take(500))
  const bridge = await start()
  await source.send(run.take(500))
  await allArrived(run, sink)
  await stopped(bridge)
  assertCopied(t, run)
}

/** Two replicas share the partitions; when one is gone the other takes over. */
export const sharedByTwo: Trial = async (t, example) => {
  assert.equal(example.spec.replicas, 2)
  const { source, sink, run, servers } = await endsOf(t, example)
  const start = bridgeOf(t, pointedAt(example, servers))
  await source.send(run.take(500))
  const replicas = await Promise.all([start(), start()])
  await eventually('both replicas have partitions', () => sharedPartitions(replicas))
  await source.send(run.take(500))
  await allArrived(run, sink)
  const [first, second] = replicas
  await stopped(first)
  await source.send(run.take(500))
  await allArrived(run, sink)
  await stopped(second)
  assertCopied(t, run)
}

async function sharedPartitions(replicas: readonly RunningBridge[]): Promise<boolean> {
  const reports = await Promise.all(replicas.map((replica) => replica.report()))
  return reports.every(({ partitions }) => partitions.length > 0)
}

/** Both replicas read one subscription; a message is acknowledged when the sink has stored it, so nothing of it is left. */
export const readByTwo: Trial = async (t, example) => {
  assert.equal(example.spec.replicas, 2)
  const { source, sink, run, servers } = await endsOf(t, example)
  const start = bridgeOf(t, pointedAt(example, servers))
  const replicas = await Promise.all([start(), start()])
  await eventually('both replicas have read', async () => {
    await source.send(run.take(200))
    return (await Promise.all(replicas.map((replica) => replica.report()))).every(({ totals }) => totals.in > 0)
  })
  await allArrived(run, sink)
  for (const replica of replicas) await stopped(replica)
  assert.deepEqual(await pullAll(await sharedPubsub(), source.stream), [])
  assertCopied(t, run)
}
