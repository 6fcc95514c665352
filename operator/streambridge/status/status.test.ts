import assert from 'node:assert/strict'
import test from 'node:test'
import type { RuntimeReport } from '../../../crds/schema/report.ts'
import { phases } from '../../../crds/schema/status.ts'
import { aPartition, aRunningBridge, aSpec, phaseIn, said } from '../../../test/support/operator-world.ts'
import { isWorthWriting } from './writes.ts'
import { clip } from '../../kube/format/text.ts'

/** What `Ready` and the phase say when the one replica reports this. */
async function judged(report: Partial<RuntimeReport>): Promise<readonly [string, string | undefined]> {
  const world = await aRunningBridge('orders')
  world.report = report
  await world.run('orders', 20_000)
  return [await said(world, 'orders', 'Ready'), await phaseIn(world, 'orders')]
}

test('a partition that waits for a person makes the bridge not Ready', async () => {
  const halted = { reason: 'RecordTooLarge', message: 'record 17 is larger than the sink takes: 2 MiB of 1 MiB' }
  const [ready, phase] = await judged({ partitions: [aPartition({ halted })] })
  assert.match(ready, /^False\/StoppedAtRecord: partition orders-0 waits: record 17 is larger/)
  assert.equal(phase, 'Degraded')
})

test('a gap in the source is told as what it is', async () => {
  const halted = { reason: 'DataGap', message: 'records 5 to 90 are gone' }
  assert.match((await judged({ partitions: [aPartition({ halted })] }))[0], /^False\/DataGap/)
})

test('lag without any movement is no progress, whatever the connections say', async () => {
  const still = {
    partitions: [aPartition()],
    rates: { in: 0, out: 0 },
    uptime: 300,
    at: 300_000,
    lastCommitAt: 100_000,
  }
  assert.match((await judged(still))[0], /^False\/NoProgress/)
  assert.match((await judged({ ...still, lastCommitAt: 290_000 }))[0], /^True/)
  assert.match((await judged({ ...still, rates: { in: 5, out: 0 } }))[0], /^True/)
})

test('a commit that fails makes the bridge not Ready', async () => {
  const error = {
    component: 'checkpoint',
    reason: 'X',
    message: 'the Lease cannot be written',
    count: 1,
    firstAt: 1,
    lastAt: 2,
  } as const
  assert.equal((await judged({ errors: [error] }))[0], 'False/CommitFailing: the Lease cannot be written')
})

const onTheWay = { transforms: [{ filter: 'value.a == 1' }] }

test('what a step needs and is not there makes the bridge not Ready, and says so in a condition of its own', async () => {
  const world = await aRunningBridge('orders', aSpec(onTheWay))
  assert.match(await said(world, 'orders', 'TransformReady'), /^True\/Transforming/)
  const error = {
    component: 'transform',
    reason: 'EndpointUnreachable',
    kind: 'retryable',
    message: 'the registry does not answer',
    count: 1,
    firstAt: 1,
    lastAt: 2,
  } as const
  world.report = { errors: [error] }
  await world.run('orders', 20_000)
  for (const type of ['TransformReady', 'Ready'] as const)
    assert.equal(await said(world, 'orders', type), 'False/EndpointUnreachable: the registry does not answer')
  world.report = { errors: [{ ...error, kind: 'poison', reason: 'ExpressionFailed' }] }
  await world.run('orders', 20_000)
  assert.match(await said(world, 'orders', 'TransformReady'), /^True\/Transforming/)
})

test('a bridge that changes nothing has nothing to wait for on the way', async () => {
  const world = await aRunningBridge('orders')
  assert.match(await said(world, 'orders', 'TransformReady'), /^True\/NoTransforms/)
})

test('what each step left out is on the status, over all replicas', async () => {
  const world = await aRunningBridge('orders', aSpec({ ...onTheWay, replicas: 2 }))
  const steps = [{ step: 'spec.transforms[0].filter', in: 10, filtered: 4, failed: 1, seconds: 0.5 }]
  world.report = { steps }
  await world.run('orders', 20_000)
  assert.deepEqual((await world.get('orders'))?.status?.steps, [
    { step: 'spec.transforms[0].filter', in: 20, filtered: 8, failed: 2 },
  ])
})

test('a gap of the whole source waits for a person, and Stalled says so', async () => {
  const world = await aRunningBridge('orders')
  const error = {
    component: 'source',
    reason: 'DataGap',
    message: 'made again',
    count: 1,
    firstAt: 1,
    lastAt: 2,
  } as const
  world.report = { source: { connected: false }, partitions: [], errors: [error] }
  await world.run('orders', 20_000)
  assert.equal(await said(world, 'orders', 'Stalled'), 'True/DataGap: made again')
})

test('a reason that Kubernetes would refuse is replaced', async () => {
  const error = { component: 'sink', reason: 'no such word!', message: 'm', count: 1, firstAt: 1, lastAt: 2 } as const
  assert.equal(
    (await judged({ sink: { connected: false, throttled: false }, errors: [error] }))[0],
    'False/NotConnected: m',
  )
})

test('the total lag is unknown while that of one partition is', async () => {
  const world = await aRunningBridge('orders')
  const lost = aPartition({ partition: 'orders-1', lag: { kind: 'unknown', reason: 'no answer' } })
  world.report = { partitions: [aPartition(), lost], source: { connected: true, partitions: 2 } }
  await world.run('orders', 20_000)
  const source = (await world.get('orders'))?.status?.source
  assert.equal(source?.lagRecords, undefined)
  assert.equal(source?.assignedPartitions, 2)
})

test('zero replicas that a person asked for are not Ready', async () => {
  const world = await aRunningBridge('orders', aSpec({ replicas: 0 }))
  assert.match(await said(world, 'orders', 'Ready'), /^False\/NoReplicas/)
  assert.equal(await phaseIn(world, 'orders'), 'Idle')
})

test('a transition time stays while the condition does', async () => {
  const world = await aRunningBridge('orders')
  const since = async () =>
    (await world.get('orders'))?.status?.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])
  const before = await since()
  world.report = { rates: { in: 900, out: 900 } }
  await world.run('orders', 60_000)
  assert.deepEqual(await since(), before)
})

test('replicas that have committed nothing yet have no checkpoint: an empty object would be refused', async () => {
  const world = await aRunningBridge('orders')
  const checkpoint = async () => (await world.get('orders'))?.status?.checkpoint
  assert.notEqual(await checkpoint(), undefined)
  world.report = { lastCommitAt: undefined, rates: { in: 0, out: 0 } }
  await world.run('orders', 60_000)
  assert.equal(await checkpoint(), undefined)
})

test('a text longer than 1024 bytes is cut between characters', () => {
  const cut = clip('€'.repeat(600))
  assert.ok(Buffer.byteLength(cut) <= 1024)
  assert.match(cut, /^€+…$/)
})

test('a new observedAt alone causes no write', () => {
  const status = (observedAt: string) => ({
    phase: phases[2],
    source: { type: 'kafka', endpoint: 'orders', observedAt },
  })
  assert.ok(!isWorthWriting(status('2026-01-01T00:00:00Z'), status('2026-01-01T00:01:00Z'), true))
  assert.ok(isWorthWriting(undefined, status('2026-01-01T00:00:00Z'), false))
})

test('a bridge whose source has ended is completed, and all that it says is true', async () => {
  const world = await aRunningBridge('orders')
  world.report = { state: 'finished', source: { connected: false }, partitions: [], busy: 0 }
  await world.run('orders', 20_000)
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Completed: the source has ended/)
  assert.match(await said(world, 'orders', 'SourceConnected'), /^True/)
  assert.equal(await phaseIn(world, 'orders'), 'Completed')
})
