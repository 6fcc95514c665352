import assert from 'node:assert/strict'
import test from 'node:test'
import { aReport, aRunningBridge, aSpec, edit, said } from '../../../test/support/operator-world.ts'
import { connected } from './conditions.ts'
import type { Situation } from './situation.ts'

const situation = (...current: readonly Situation['current'][number][]): Situation =>
  ({ reports: current, current, paused: false, replicas: { wanted: current.length }, pods: [] }) as unknown as Situation

const joining = aReport({ replica: 'replica-1', source: { connected: false } })

test('records flow on while replicas are added, and Ready says so', async () => {
  const world = await aRunningBridge('orders', aSpec({ replicas: 1 }))
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Flowing/)
  await edit(world, 'orders', (spec) => ({ ...spec, replicas: 3 }))
  assert.match(await said(world, 'orders', 'Available'), /^False/)
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Flowing/)
})

test('a replica that is only joining does not make the others disconnected', () => {
  const { status, message } = connected('source', situation(aReport(), joining))
  assert.equal(status, 'True')
  assert.match(message, /replica-1/)
  assert.equal(connected('source', situation(joining)).status, 'False')
})

test('a replica that cannot connect makes the whole not connected', () => {
  const error = {
    component: 'source',
    reason: 'AuthenticationFailed',
    message: 'm',
    count: 1,
    firstAt: 1,
    lastAt: 2,
  } as const
  assert.equal(
    connected('source', situation(aReport(), { ...joining, errors: [error] })).reason,
    'AuthenticationFailed',
  )
})
