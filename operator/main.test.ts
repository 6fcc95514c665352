import assert from 'node:assert/strict'
import test from 'node:test'
import { realClock } from '../bridge-runtime/core/clock.ts'
import { createLogger, silentLogger } from '../bridge-runtime/observability/logger.ts'
import { eventually } from '../test/support/eventually.ts'
import { aBridge, aSpec, namespace } from '../test/support/operator-world.ts'
import { createEmbeddedKube } from './embedded/api-server/api.ts'
import { interfere } from '../test/support/kube-faults.ts'
import type { KubeApi } from './kube/api.ts'
import { deployments, leases, secrets, streamBridges } from './kube/resources.ts'
import { type OperatorOptions, runOperator } from './main.ts'
import { settingsFrom } from './settings.ts'

const variables = { STREAMBRIDGE_IMAGE: 'image', METRICS_PORT: '0', POD_NAME: 'operator-0', POD_NAMESPACE: 'system' }

const always = (kube: KubeApi) => () => kube

const options = (changes: Partial<OperatorOptions>): OperatorOptions => ({
  connect: always(createEmbeddedKube({ clock: realClock })),
  settings: settingsFrom(variables),
  clock: realClock,
  random: Math.random,
  logger: silentLogger,
  signal: AbortSignal.timeout(60_000),
  readReport: () => Promise.reject(new Error('no answer')),
  checkCrd: false,
  ...changes,
})

const bridge = aBridge('clicks', aSpec({ source: { generator: {} }, sink: { console: {} } }))

test('the operator brings about what is there at its start and what comes later, and stops when told', async () => {
  const kube = createEmbeddedKube({ clock: realClock })
  const stop = new AbortController()
  await kube.create(streamBridges, bridge)
  const running = runOperator(options({ connect: always(kube), signal: stop.signal }))
  const made = (name: string) => kube.get(deployments, { namespace, name: `${name}-bridge` })
  await eventually('the first Deployment', () => made('clicks'))
  await kube.create(streamBridges, { ...bridge, metadata: { name: 'later', namespace } })
  await eventually('the second Deployment', () => made('later'))
  stop.abort()
  await running
  const lease = await kube.get(leases, { namespace: 'system', name: 'streambridge-operator' })
  assert.equal(lease?.spec?.holderIdentity, '', 'the leadership is given back')
})

test('only the named namespaces are watched', async () => {
  const kube = createEmbeddedKube({ clock: realClock })
  const stop = new AbortController()
  const settings = settingsFrom({ ...variables, WATCH_NAMESPACES: namespace, LEADER_ELECT: 'false' })
  await kube.create(streamBridges, { ...bridge, metadata: { name: 'elsewhere', namespace: 'other' } })
  await kube.create(streamBridges, bridge)
  const running = runOperator(options({ connect: always(kube), settings, signal: stop.signal }))
  await eventually('the Deployment', () => kube.get(deployments, { namespace, name: 'clicks-bridge' }))
  assert.equal((await kube.list(deployments, { namespace: 'other' })).items.length, 0)
  stop.abort()
  await running
})

test('without its CustomResourceDefinition the operator says so and waits', async () => {
  const stop = new AbortController()
  const lines: string[] = []
  const logger = createLogger({ level: 'error', write: (line) => void lines.push(line) })
  const running = runOperator(options({ logger, signal: stop.signal, checkCrd: true }))
  await eventually('the error', () =>
    lines.find((line) => line.includes('streambridges.streambridge.dev is not installed')),
  )
  stop.abort()
  await running
})

test('a lost leadership ends the operator with an error', async () => {
  const kube = createEmbeddedKube({ clock: realClock })
  let elected = false
  const contested = interfere(kube, {
    before: async ({ verb, resource }) => {
      if (resource !== leases || verb !== 'replace' || elected) return
      elected = true
      const key = { namespace: 'system', name: 'streambridge-operator' }
      const lease = await kube.get(leases, key)
      if (lease) await kube.replace(leases, { ...lease, spec: { ...lease.spec, holderIdentity: 'another' } })
    },
  })
  await assert.rejects(
    runOperator(options({ connect: always(contested) })),
    /leadership lost: another replica holds it/,
  )
})

test('the operator may write only while it leads; its lease it may always', async () => {
  const vote = Promise.withResolvers<void>()
  const kube = interfere(createEmbeddedKube({ clock: realClock }), {
    before: ({ verb, resource }) => (verb === 'create' && resource === leases ? vote.promise : undefined),
  })
  const stop = new AbortController()
  const permissions: (() => boolean)[] = []
  const connect = (mayWrite: () => boolean): KubeApi => {
    permissions.push(mayWrite)
    return kube
  }
  const given = () => permissions.map((may) => may())
  const running = runOperator(options({ connect, signal: stop.signal }))
  await eventually('both connections', () => permissions.length === 2)
  assert.deepEqual(given(), [true, false])
  vote.resolve()
  await eventually('the leadership', () => given()[1])
  stop.abort()
  await running
  assert.deepEqual(given(), [true, false])
})

test('two operators that start together agree on one key for the hashes', async () => {
  const kube = createEmbeddedKube({ clock: realClock })
  const stop = new AbortController()
  const settings = settingsFrom({ ...variables, LEADER_ELECT: 'false' })
  await kube.create(streamBridges, bridge)
  const both = [
    options({ connect: always(kube), settings, signal: stop.signal }),
    options({ connect: always(kube), settings, signal: stop.signal }),
  ]
  const running = both.map((one) => runOperator(one))
  const made = () => kube.get(deployments, { namespace, name: 'clicks-bridge' })
  const { metadata } = await eventually('the Deployment', made)
  await realClock.sleep(300)
  assert.equal((await made())?.metadata.generation, metadata.generation)
  assert.equal((await kube.list(secrets, { namespace: 'system' })).items.length, 1)
  stop.abort()
  await Promise.all(running)
})
