import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { createEmbeddedKube } from '../embedded/api-server/api.ts'
import { interfere } from '../../test/support/kube-faults.ts'
import { type KubeApi, KubeError } from './api.ts'
import { createEventRecorder, type Notice } from './events.ts'
import { events } from './resources.ts'

const regarding = {
  apiVersion: 'streambridge.dev/v1alpha1',
  kind: 'StreamBridge',
  metadata: { name: 'orders', namespace: 'shop', uid: 'u1' },
}
const scaled: Notice = { regarding, type: 'Normal', reason: 'ScaledUp', message: 'from 1 to 2' }

function start(wrap: (api: KubeApi) => KubeApi = (api) => api) {
  const clock = fakeClock()
  const api = createEmbeddedKube({ clock })
  const options = { clock, logger: silentLogger, controller: 'streambridge-operator', instance: 'operator-1' }
  const recorder = createEventRecorder({ ...options, api: wrap(api) })
  const stored = async () => {
    await recorder.flush()
    return (await api.list(events)).items
  }
  return { clock, recorder, stored }
}

test('an Event says what happened to which object', async () => {
  const { recorder, stored } = start()
  recorder.record(scaled)
  const [event] = await stored()
  assert.deepEqual(
    [event?.reason, event?.note, event?.type, event?.action, event?.reportingController, event?.regarding],
    [
      'ScaledUp',
      'from 1 to 2',
      'Normal',
      'ScaledUp',
      'streambridge-operator',
      { apiVersion: regarding.apiVersion, kind: 'StreamBridge', namespace: 'shop', name: 'orders', uid: 'u1' },
    ],
  )
  assert.equal(event?.metadata.namespace, 'shop')
})

test('the same notice within ten minutes is counted', async () => {
  const { clock, recorder, stored } = start()
  recorder.record(scaled)
  await clock.advance(500_000)
  recorder.record(scaled)
  await clock.advance(500_000)
  recorder.record(scaled)
  const all = await stored()
  assert.deepEqual(
    all.map(({ series }) => series?.count),
    [3],
  )
})

test('the same notice later, or another one, is an Event of its own', async () => {
  const { clock, recorder, stored } = start()
  recorder.record(scaled)
  await clock.advance(700_000)
  recorder.record(scaled)
  recorder.record({ ...scaled, message: 'from 2 to 3' })
  const all = await stored()
  assert.equal(all.length, 3)
  assert.equal(new Set(all.map(({ metadata }) => metadata.name)).size, 3)
})

test('the Events of one object are limited in their rate', async () => {
  const { clock, recorder, stored } = start()
  for (let n = 0; n < 100; n++) recorder.record({ ...scaled, message: `from ${n} to ${n + 1}` })
  assert.equal((await stored()).length, 20)
  await clock.advance(60_000)
  for (let n = 0; n < 100; n++) recorder.record({ ...scaled, message: `again from ${n} to ${n + 1}` })
  assert.equal((await stored()).length, 22)
  recorder.record({ ...scaled, regarding: { ...regarding, metadata: { ...regarding.metadata, uid: 'u2' } } })
  assert.equal((await stored()).length, 23)
})

test('an API server that refuses Events is no error', async () => {
  const refuse = (): never => {
    throw new KubeError('forbidden', { status: 403, reason: 'Forbidden' })
  }
  const { recorder, stored } = start((api) => interfere(api, { before: refuse }))
  recorder.record(scaled)
  assert.deepEqual(await stored(), [])
})

test('texts that are too long are cut to what the API takes', async () => {
  const { recorder, stored } = start()
  recorder.record({ ...scaled, message: 'ä'.repeat(3_000) })
  const [event] = await stored()
  assert.ok(Buffer.byteLength(event?.note ?? '') <= 1_024)
})
