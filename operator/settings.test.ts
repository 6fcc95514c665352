import assert from 'node:assert/strict'
import test from 'node:test'
import { settingsFrom } from './settings.ts'

test('the image is the only required setting', () => {
  const settings = settingsFrom({ STREAMBRIDGE_IMAGE: 'image', PATH: '/bin' })
  assert.deepEqual(settings.namespaces, [])
  assert.equal(settings.leaderElection, true)
  assert.equal(settings.resync, 600_000)
  assert.equal(settings.reportInterval, undefined)
})

test('namespaces are separated by commas', () => {
  assert.deepEqual(settingsFrom({ STREAMBRIDGE_IMAGE: 'i', WATCH_NAMESPACES: 'a, b,' }).namespaces, ['a', 'b'])
})

test('every variable at fault is named', () => {
  assert.throws(() => settingsFrom({ METRICS_PORT: 'x', RESYNC: 'soon' }), /STREAMBRIDGE_IMAGE.*METRICS_PORT.*RESYNC/)
})

test('patterns of what may be named are separated by commas, and none is no limit', () => {
  const of = (variables: Record<string, string>) => settingsFrom({ STREAMBRIDGE_IMAGE: 'i', ...variables }).allowed
  assert.deepEqual(of({}), { images: [], serviceAccounts: [] })
  assert.deepEqual(of({ ALLOWED_IMAGES: 'ghcr.io/acme/*, other:1', ALLOWED_SERVICE_ACCOUNTS: 'bridge-*' }), {
    images: ['ghcr.io/acme/*', 'other:1'],
    serviceAccounts: ['bridge-*'],
  })
  assert.throws(() => of({ ALLOWED_IMAGES: '^ghcr' }), /ALLOWED_IMAGES: write patterns/)
})
