/** The chart's ValidatingAdmissionPolicy, as rendered in test/e2e/golden/restricted.yaml, on a real API server. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { parseAllDocuments, stringify } from 'yaml'
import { apiVersion, kind } from '../../crds/schema/streambridge.ts'
import { eventually } from '../support/eventually.ts'
import { type Answer, type StreamBridges, startWithCrd } from './api-server.ts'

const golden = new URL('../e2e/golden/restricted.yaml', import.meta.url)

const policies = parseAllDocuments(readFileSync(golden, 'utf8'))
  .map((document) => document.toJS() as { readonly kind: string })
  .filter((object) => object.kind.startsWith('ValidatingAdmissionPolicy'))

const bridge = (name: string, spec: object, metadata: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name, ...metadata },
  spec: { source: { generator: {} }, sink: { console: {} }, ...spec },
})

suite('the admission policy of the chart', () => {
  let bridges: StreamBridges
  const create = (object: object): Promise<Answer> => bridges.ask({ method: 'POST', path: '?dryRun=All', body: object })

  before(async () => {
    bridges = await startWithCrd()
    const { status } = await bridges.ask({ method: 'POST', body: bridge('older', { image: 'evil.example/old:1' }) })
    assert.equal(status, 201)
    const text = policies.map((object) => stringify(object)).join('---\n')
    await bridges.server.kubectl(['apply', '--validate=strict', '-f', '-'], text)
    const probe = bridge('probe', { image: 'evil.example/shell:1' })
    await eventually('the policy is in force', async () => (await create(probe)).status !== 201)
  })
  after(() => bridges[Symbol.asyncDispose]())

  test('an image that matches no pattern is refused, with its field and the patterns', async () => {
    const { status, body } = await create(bridge('orders', { image: 'evil.example/ghcr.io/acme/x' }))
    assert.equal(status, 422)
    assert.match(
      body.message,
      /spec\.image: not allowed here; allowed are ghcr\.io\/acme\/\*, mirror\.local\/streambridge:1\.0/,
    )
    assert.equal((await create(bridge('orders', { image: 'ghcrXio/acme/x' }))).status, 422)
    assert.equal((await create(bridge('orders', { image: 'mirror.local/streambridge:1.01' }))).status, 422)
  })

  test('a ServiceAccount that matches no pattern is refused, with its field and the patterns', async () => {
    const { status, body } = await create(bridge('orders', { serviceAccountName: 'cluster-admin' }))
    assert.equal(status, 422)
    assert.match(body.message, /spec\.serviceAccountName: not allowed here; allowed are bridge-\*/)
  })

  test('what matches, or is not named at all, is accepted', async () => {
    const specs = [
      {},
      { image: 'ghcr.io/acme/a/b:2' },
      { image: 'mirror.local/streambridge:1.0', serviceAccountName: 'bridge-x' },
    ]
    for (const spec of specs) {
      const { status, body } = await create(bridge('orders', spec))
      assert.equal(status, 201, body.message)
    }
  })

  test('what was stored before can be marked and deleted, and its spec changed only to what is allowed', async () => {
    const { body: stored } = await bridges.ask({ path: '/older' })
    const marked = { ...stored, metadata: { ...stored.metadata, finalizers: ['streambridge.dev/drain'] } }
    const { status, body } = await bridges.ask({ method: 'PUT', path: '/older', body: marked })
    assert.equal(status, 200, body.message)
    const changed = { ...body, spec: { ...body.spec, serviceAccountName: 'bridge-x' } }
    assert.equal((await bridges.ask({ method: 'PUT', path: '/older', body: changed })).status, 422)
    await bridges.ask({ method: 'DELETE', path: '/older' })
    const { body: leaving } = await bridges.ask({ path: '/older' })
    const free = { ...leaving, metadata: { ...leaving.metadata, finalizers: [] } }
    assert.equal((await bridges.ask({ method: 'PUT', path: '/older', body: free })).status, 200)
    assert.equal((await bridges.ask({ path: '/older' })).status, 404)
  })
})
