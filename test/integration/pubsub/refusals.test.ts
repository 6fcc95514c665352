/** What the service refuses, as a person reads it: whole bridges in processes of their own, and their answers on /status. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import type { ReportedError } from '../../../crds/schema/report.ts'
import { createAuthority } from '../../support/certificates.ts'
import { eventually } from '../../support/eventually.ts'
import { type FakeCall, type FakePubsub, startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import type { Refusal } from '../../support/pubsub-fake/refusal.ts'
import { type RuntimeProcess, startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { sinkConfig, sourceConfig } from './harness.ts'

const load = { generator: { recordsPerSecond: 100, records: 100, keys: 5 } }

async function serviceThat(t: TestContext, refuse: (call: FakeCall) => Refusal | undefined): Promise<FakePubsub> {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic('orders', ['orders'])
  service.refuse = refuse
  return service
}

type More = Pick<Parameters<typeof startRuntime>[0], 'secrets' | 'env'>

async function bridge(t: TestContext, source: object, sink: object, more: More = {}): Promise<RuntimeProcess> {
  const folder = temporaryDirectory('pubsub-refusals')
  const ends = { source: source as never, sink: sink as never }
  const runtime = await startRuntime({
    bridge: { name: 'orders', ...ends, delivery: { drainTimeout: '2s' } },
    leases: join(folder, 'leases'),
    ready: false,
    ...more,
  })
  t.after(() => runtime.stop())
  return runtime
}

const toFile = (): object => ({ file: { path: join(temporaryDirectory('pubsub-refusals'), 'out.jsonl') } })

const errorOf = (runtime: RuntimeProcess, component: string): Promise<ReportedError> =>
  eventually(
    `an error of the ${component}`,
    async () => (await runtime.report()).errors.find((error) => error.component === component),
    undefined,
  )

const when =
  (method: string, code: status, details: string) =>
  (call: FakeCall): Refusal | undefined =>
    call.method === method ? { code, details } : undefined

suite('a person reads', { concurrency: 2 }, () => {
  test('which role is lacking to publish', async (t) => {
    const service = await serviceThat(
      t,
      when('publish', status.PERMISSION_DENIED, 'User not authorized to perform this action.'),
    )
    const runtime = await bridge(t, load, { pubsub: sinkConfig(service.address, 'orders') })
    const { reason, message } = await errorOf(runtime, 'sink')
    assert.equal(reason, 'AccessDenied')
    assert.match(message, /topic projects\/.*orders.*lack pubsub\.topics\.publish; grant roles\/pubsub\.publisher/)
  })

  test('which role is lacking to read', async (t) => {
    const service = await serviceThat(t, when('streamingPull', status.PERMISSION_DENIED, 'User not authorized.'))
    const runtime = await bridge(t, { pubsub: sourceConfig(service.address, 'orders') }, toFile())
    const { reason, message } = await errorOf(runtime, 'source')
    assert.equal(reason, 'AccessDenied')
    assert.match(message, /orders.*lack pubsub\.subscriptions\.consume; grant roles\/pubsub\.subscriber/)
  })

  test('which topic is missing, and the bridge begins when it is there', async (t) => {
    const service = await serviceThat(t, () => undefined)
    const runtime = await bridge(t, load, { pubsub: sinkConfig(service.address, 'missing') })
    const { reason, message } = await errorOf(runtime, 'sink')
    assert.equal(reason, 'TopicNotFound')
    assert.match(message, /topic projects\/.*\/topics\/missing .*create it, or correct spec\.sink\.pubsub\.topic$/)
    service.createTopic('missing')
    await eventually('all are stored', () => service.published('missing').length === 100)
    await eventually('no error any more', async () => (await runtime.report()).errors.length === 0)
  })

  test('which subscription is missing', async (t) => {
    const service = await serviceThat(t, () => undefined)
    const runtime = await bridge(t, { pubsub: sourceConfig(service.address, 'missing') }, toFile())
    const { reason, message } = await errorOf(runtime, 'source')
    assert.equal(reason, 'SubscriptionNotFound')
    assert.match(message, /subscription projects\/.*\/subscriptions\/missing .*create it/)
  })

  test('that the service throttles', async (t) => {
    const service = await serviceThat(t, when('publish', status.RESOURCE_EXHAUSTED, 'Quota exceeded'))
    const runtime = await bridge(t, load, { pubsub: sinkConfig(service.address, 'orders') })
    const { reason } = await errorOf(runtime, 'sink')
    assert.equal(reason, 'Throttled')
    await eventually('the status says so', async () => (await runtime.report()).sink.throttled)
  })

  for (const role of ['source', 'sink'] as const)
    test(`that the ${role}’s credentials are refused, and nothing of them`, async (t) => {
      const folder = temporaryDirectory('pubsub-refusals')
      const authority = await createAuthority(folder)
      const service = await startFakePubsub({
        certificate: await authority.issue('localhost', ['localhost', '127.0.0.1']),
      })
      t.after(() => service.stop())
      service.createTopic('orders', ['orders'])
      const tokens = new Set<string>()
      service.refuse = ({ authorization = '' }) => {
        tokens.add(authorization)
        return { code: status.UNAUTHENTICATED, details: `Request had invalid credentials: ${authorization}` }
      }
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      const key = {
        type: 'service_account',
        project_id: 'streambridge-test',
        private_key_id: 'one',
        client_email: 'bridge@streambridge-test.iam.gserviceaccount.com',
        private_key: pem,
      }
      const secured = {
        endpoint: `https://localhost:${service.address.split(':')[1]}`,
        auth: { credentialsSecretRef: { name: 'gcp', key: 'key.json' } },
      }
      const more = {
        secrets: { gcp: { 'key.json': JSON.stringify(key) } },
        env: { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: authority.caFile },
      }
      const runtime =
        role === 'sink'
          ? await bridge(t, load, { pubsub: { ...sinkConfig('', 'orders'), ...secured } }, more)
          : await bridge(t, { pubsub: { ...sourceConfig('', 'orders'), ...secured } }, toFile(), more)
      const { reason, message } = await errorOf(runtime, role)
      assert.equal(reason, 'AuthenticationFailed')
      assert.match(message, /does not accept the credentials; check the Secret/)
      assert.ok(tokens.size > 0, 'the service was asked')
      const seen = JSON.stringify(await runtime.report()) + readFileSync(runtime.logFile, 'utf8')
      for (const token of tokens) {
        assert.match(token, /^Bearer ./)
        assert.ok(!seen.includes(token.slice('Bearer '.length)), 'the token is in no answer and no log')
      }
      for (const line of pem.split('\n').filter((text) => text.length > 20)) assert.ok(!seen.includes(line))
    })
})
