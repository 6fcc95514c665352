import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { jsonSchemaOf } from '../../crds/generate/crd.ts'
import type { JsonSchema } from '../../crds/generate/json-schema.ts'
import { type Condition, type StreamBridgeStatus, status as statusSchema } from '../../crds/schema/status.ts'
import { apiVersion, kind } from '../../crds/schema/streambridge.ts'
import { crdName, type StreamBridges, startWithCrd } from './api-server.ts'
import { crdFile } from '../support/install-crd.ts'

const bridge = (name: string, spec: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name },
  spec: { source: { generator: {} }, sink: { console: {} }, ...spec },
})

const kafka = (consumerGroup?: string): object => ({
  source: { kafka: { bootstrapServers: ['broker:9092'], topics: ['orders'], consumerGroup } },
})

const at = '2026-01-31T12:00:00Z'
const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Flowing',
  message: 'Records flow.',
  lastTransitionTime: at,
}

/** Holds every field a status can have. */
const fullStatus = {
  observedGeneration: 1,
  phase: 'Running',
  conditions: [{ ...ready, observedGeneration: 1 }],
  selector: 'app.kubernetes.io/instance=orders',
  replicas: 3,
  readyReplicas: 3,
  updatedReplicas: 3,
  desiredReplicas: 3,
  lag: '1840 (2s)',
  source: {
    type: 'kafka',
    endpoint: 'orders',
    partitions: 12,
    assignedPartitions: 12,
    lagRecords: 1840,
    lagSeconds: 2,
    observedAt: at,
  },
  sink: { type: 'kinesis', endpoint: 'orders' },
  throughput: { inPerSecond: '912', outPerSecond: '911' },
  steps: [{ step: 'spec.transforms[0].filter', in: 10, filtered: 4, failed: 1 }],
  checkpoint: { lastCommittedAt: at, oldestUnsettledSeconds: 1 },
  deadLetter: { total: 4, lastReason: 'RecordTooLarge', counted: [{ replica: 'orders-bridge-0', total: 1 }] },
  lastError: { component: 'sink', reason: 'Throttled', message: 'slow down', count: 3, firstAt: at, lastAt: at },
  scaling: { lastScaledAt: at, from: 2, to: 3, reason: 'LagAboveTarget' },
} satisfies StreamBridgeStatus

function leaves(schema: JsonSchema, path = ''): readonly string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    leaves(property, `${path}.${name}`),
  )
  return below.length === 0 ? [path] : below
}

const has = (value: unknown, path: string): boolean =>
  path
    .split('.')
    .slice(1)
    .reduce<unknown>((object, name) => (object as Record<string, unknown> | undefined)?.[name], value) !== undefined

suite('the StreamBridge resource in a real API server', () => {
  let bridges: StreamBridges
  before(async () => {
    bridges = await startWithCrd()
  })
  after(() => bridges[Symbol.asyncDispose]())

  const create = async (name: string, spec?: object): Promise<void> => {
    const { status, body } = await bridges.ask({ method: 'POST', body: bridge(name, spec) })
    assert.equal(status, 201, body.message)
  }

  /** Reads the object, changes it, writes it back. */
  const update = async (path: string, change: (object: { spec: Record<string, unknown> }) => void) => {
    const { body } = await bridges.ask({ path })
    change(body)
    return bridges.ask({ method: 'PUT', path, body })
  }

  test('its definition is established and structural', async () => {
    const { status } = JSON.parse(await bridges.server.kubectl(['get', 'crd', crdName, '-o', 'json']))
    const conditions: readonly { type: string; status: string }[] = status.conditions
    assert.equal(conditions.find(({ type }) => type === 'Established')?.status, 'True')
    assert.deepEqual(
      conditions.filter(({ type }) => type === 'NonStructuralSchema'),
      [],
    )
  })

  test('its definition can be applied again under strict validation without a change', async () => {
    const printed = await bridges.server.kubectl(['apply', '--validate=strict', '-f', crdFile])
    assert.match(printed, / unchanged$/m)
  })

  test('defaults are filled in, and replicas have none, so that an autoscaler owns them', async () => {
    await create('defaults')
    const { spec } = (await bridges.ask({ path: '/defaults' })).body
    assert.equal(spec.delivery.ordering, 'PerKey')
    assert.equal(spec.scaling.scaleDown.cooldown, '3m')
    assert.equal(spec.source.generator.keys, 16)
    assert.equal('replicas' in spec, false)
  })

  test('the consumer group of a running bridge cannot change', async () => {
    await create('running', kafka('one'))
    const { status, body } = await update('/running', ({ spec }) => Object.assign(spec, kafka('two')))
    assert.equal(status, 422)
    assert.match(body.message, /spec: .*set lifecycle.desiredState to Paused before you change it/)
  })

  test('the consumer group of a running bridge cannot be added', async () => {
    await create('adding', kafka())
    const { status } = await update('/adding', ({ spec }) => Object.assign(spec, kafka('two')))
    assert.equal(status, 422)
  })

  test('the consumer group of a paused bridge can change', async () => {
    await create('paused', { ...kafka('one'), lifecycle: { desiredState: 'Paused' } })
    const { status, body } = await update('/paused', ({ spec }) => Object.assign(spec, kafka('two')))
    assert.equal(status, 200, body.message)
  })

  test('positions of a running bridge cannot be forgotten', async () => {
    await create('resetting')
    const { status, body } = await update('/resetting', ({ spec }) =>
      Object.assign(spec, { lifecycle: { reset: { token: 'monday' } } }),
    )
    assert.equal(status, 422)
    assert.match(body.message, /lifecycle.reset forgets every position: set lifecycle.desiredState to Paused/)
  })

  test('a paused bridge can be told to begin anew, in the edit that resumes it', async () => {
    await create('resuming', { lifecycle: { desiredState: 'Paused' } })
    const { status, body } = await update('/resuming', ({ spec }) =>
      Object.assign(spec, { lifecycle: { desiredState: 'Running', reset: { token: 'monday' } } }),
    )
    assert.equal(status, 200, body.message)
  })

  test('a running bridge can change everything else', async () => {
    await create('editing', kafka('one'))
    const change = await update('/editing', ({ spec }) => Object.assign(spec, { delivery: { ordering: 'None' } }))
    assert.equal(change.status, 200, change.body.message)
    const other = await update('/editing', ({ spec }) => Object.assign(spec, { source: { generator: {} } }))
    assert.equal(other.status, 200, other.body.message)
  })

  test('kubectl scale writes spec.replicas', async () => {
    await create('scaled', { replicas: 1, scaling: { mode: 'External' } })
    await bridges.server.kubectl(['scale', 'sbr/scaled', '--replicas=3'])
    assert.equal((await bridges.ask({ path: '/scaled' })).body.spec.replicas, 3)
  })

  test('the scale subresource shows replicas and selector from the status', async () => {
    await create('shown', { replicas: 1, scaling: { mode: 'External' } })
    await update('/shown/status', (object) => Object.assign(object, { status: fullStatus }))
    const { status } = (await bridges.ask({ path: '/shown/scale' })).body
    assert.deepEqual(status, { replicas: 3, selector: 'app.kubernetes.io/instance=orders' })
  })

  test('the scale subresource cannot break a rule', async () => {
    await create('lagging', { scaling: { mode: 'Lag' } })
    await assert.rejects(
      bridges.server.kubectl(['scale', 'sbr/lagging', '--replicas=3']),
      /no effect with scaling.mode Lag/,
    )
  })

  test('the test’s status holds every field of the schema', () => {
    const missing = leaves(jsonSchemaOf(statusSchema)).filter((path) => !has(fullStatus, path))
    assert.deepEqual(missing, [])
  })

  test('a status comes back as it was written', async () => {
    await create('told')
    const { status, body } = await update('/told/status', (object) => Object.assign(object, { status: fullStatus }))
    assert.equal(status, 200, body.message)
    assert.deepEqual((await bridges.ask({ path: '/told' })).body.status, fullStatus)
  })

  test('a status in the manifest is ignored', async () => {
    const { status } = await bridges.ask({ method: 'POST', body: { ...bridge('boasting'), status: fullStatus } })
    assert.equal(status, 201)
    assert.equal((await bridges.ask({ path: '/boasting' })).body.status, undefined)
  })

  test('kubectl get says in one line whether it works and how far behind it is', async () => {
    await create('listed')
    await update('/listed/status', (object) => Object.assign(object, { status: fullStatus }))
    const [head = '', line = ''] = (await bridges.server.kubectl(['get', 'sbr', 'listed'])).trim().split('\n')
    assert.deepEqual(head.trim().split(/\s{2,}/), [
      'NAME',
      'READY',
      'PHASE',
      'SOURCE',
      'SINK',
      'REPLICAS',
      'LAG',
      'AGE',
    ])
    assert.match(line, /^listed +True +Running +kafka +kinesis +3 +1840 \(2s\) +\S+$/)
  })

  test('kubectl get -o wide adds rates, partitions, the reason and what to do', async () => {
    await create('wide')
    await update('/wide/status', (object) => Object.assign(object, { status: fullStatus }))
    const printed = await bridges.server.kubectl(['get', 'streaming', '-o', 'wide'])
    const [head = ''] = printed.split('\n')
    assert.match(head, /LAG +AGE +RECORDS +IN\/S +OUT\/S +PARTITIONS +REASON +MESSAGE/)
    assert.match(printed, /^\S*wide +True .* 1840 +912 +911 +12 +Flowing +Records flow\.\s*$/m)
  })

  test('kubectl explain knows the fields', async () => {
    const printed = await bridges.server.kubectl(['explain', 'sbr.spec.delivery.onFailure'])
    assert.match(printed, /can never be delivered/)
  })
})
