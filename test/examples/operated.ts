/** Examples whose point is what the operator does: `streambridge dev`, with a person or an autoscaler who edits the object. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { replicasOf } from '../demo/bridge-processes.ts'
import { kafkaEnd } from '../support/ends/kafka.ts'
import { eventually } from '../support/eventually.ts'
import { createTopic, kafkaClient } from '../support/kafka.ts'
import { type Manifest, yamlOf } from '../support/run-bridge.ts'
import { startServer, temporaryDirectory } from '../support/server-process.ts'
import { sharedKafka, uniqueName } from '../support/shared-servers.ts'
import { type TestRecord, testRun } from '../support/verifier.ts'
import { addressOf, type Example, pointedAt, type Servers } from './example.ts'
import { allArrived, assertCopied, type Trial } from './stage.ts'

interface Operated {
  /** Applies the manifests. */
  apply(manifests: readonly Manifest[]): void
  /** How many replicas run now. */
  replicas(): Promise<number>
  /** Resolves when so many run. */
  settled(count: number): Promise<void>
  output(): string
  stop(): Promise<void>
}

const main = join(import.meta.dirname, '../../cli/main.ts')

/** Starts the operator on this machine. */
async function operate(t: TestContext, { name }: Example, manifests: readonly Manifest[]): Promise<Operated> {
  const directory = temporaryDirectory('example')
  const file = join(directory, 'bridge.yaml')
  const apply = (objects: readonly Manifest[]): void => writeFileSync(file, yamlOf(objects))
  apply(manifests)
  const server = await startServer({
    name: 'dev',
    command: process.execPath,
    args: ['--no-warnings', main, 'dev', '-f', file, '--state', join(directory, 'state')],
    directory,
    env: { PATH: process.env['PATH'] },
  })
  const stop = (): Promise<void> => server.stop(60_000)
  t.after(stop)
  const replicas = async (): Promise<number> => (await replicasOf(name, server.pid)).length
  return {
    apply,
    replicas,
    output: () => readFileSync(server.logFile, 'utf8'),
    async settled(count) {
      await eventually(`${count} replicas run`, replicas, (found) => found === count, { within: 120_000, every: 200 })
    },
    stop,
  }
}

/** A paused bridge has no replicas and keeps its position; it begins at the time that the example says. */
export const pausedAndResumed: Trial = async (t, example) => {
  const bootstrapServers = await sharedKafka()
  const topic = uniqueName('nightly')
  await createTopic(bootstrapServers, topic, { config: { 'retention.ms': '-1' } })
  await using sink = await kafkaEnd()
  const producer = kafkaClient(bootstrapServers).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  t.after(() => producer.disconnect())
  const send = (records: readonly TestRecord[], date: string) => {
    const timestamp = String(Date.parse(date))
    return producer.send({ topic, acks: -1, messages: records.map(({ key, value }) => ({ key, value, timestamp })) })
  }
  const manifests = (desiredState: string): Manifest[] =>
    pointedAt(example, {
      source: { bootstrapServers: [bootstrapServers], topics: [topic] },
      sink: addressOf(sink, 'sink'),
      spec: { lifecycle: { desiredState } },
    })
  assert.equal(example.spec.lifecycle.desiredState, 'Paused')
  const run = testRun({ run: topic, keys: 20 })
  await send(testRun({ run: topic, keys: 5, bytes: 100 }).take(100), '2026-01-30')
  await send(run.take(300), '2026-02-01')

  const operator = await operate(t, example, manifests('Paused'))
  await eventually('it says that it is paused', () => /^nightly .* Paused /m.test(operator.output()))
  assert.equal(await operator.replicas(), 0)
  operator.apply(manifests('Running'))
  await allArrived(run, sink)
  operator.apply(manifests('Paused'))
  await operator.settled(0)
  await send(run.take(300), '2026-02-02')
  operator.apply(manifests('Running'))
  await allArrived(run, sink)
  await operator.stop()
  assertCopied(t, run)
}

async function mirrored(t: TestContext, example: Example, partitions: number) {
  const [source, sink] = await Promise.all([kafkaEnd(partitions), kafkaEnd()])
  t.after(() => Promise.all([source[Symbol.asyncDispose](), sink[Symbol.asyncDispose]()]))
  const manifests = (spec: Servers['spec'] = {}): Manifest[] =>
    pointedAt(example, { source: addressOf(source, 'source'), sink: addressOf(sink, 'sink'), spec })
  return { source, sink, manifests }
}

/** As many replicas as spec.replicas says, whoever writes it; the lag changes nothing. */
export const scaledByAnother: Trial = async (t, example) => {
  const { source, sink, manifests } = await mirrored(t, example, 4)
  const run = testRun({ run: source.stream, keys: 20, marked: true })
  const operator = await operate(t, example, manifests())
  for (const replicas of [1, 3, 1]) {
    operator.apply(manifests({ replicas }))
    await operator.settled(replicas)
    await source.send(run.take(300))
    await allArrived(run, sink)
  }
  await operator.stop()
  assertCopied(t, run)
}

/** Slow replicas, and what waits. Large records, so that a page of them is seconds of work, not minutes. */
const slow = { maxRecordsPerSecond: 10 }
const backlog = { records: 2_400, bytes: 40_000 }
const partitions = 3

/** One replica becomes as many as the topic has partitions, and no more; when the lag is gone nothing is missing or repeated. */
export const scaledOnLag: Trial = async (t, example) => {
  const { source, sink, manifests } = await mirrored(t, example, partitions)
  const run = testRun({ run: source.stream, keys: 60, bytes: backlog.bytes, marked: true })
  await source.send(run.take(backlog.records))
  const { scaling } = example.spec
  assert.deepEqual([scaling.minReplicas, scaling.maxReplicas, scaling.targetDrain], [1, 12, '60s'])
  // Here it must not be seen for half a minute that more are needed.
  const hasty = { ...scaling, scaleUp: { ...scaling.scaleUp, stabilization: '2s', cooldown: '5s' } }
  const operator = await operate(t, example, manifests({ scaling: hasty, delivery: slow }))
  // One would need four minutes: four replicas and more would be wanted, if they had a partition each.
  await operator.settled(partitions)
  assert.match(operator.output(), /payments-mirror Scaled: from 1 to 3 replicas: LagAboveTarget/)
  operator.apply(manifests({ scaling: hasty }))
  await allArrived(run, sink)
  await operator.stop()
  assertCopied(t, run)
}
