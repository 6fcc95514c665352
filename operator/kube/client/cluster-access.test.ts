import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { fakeClock } from '../../../test/support/fake-clock.ts'
import { fromKubeconfig, inCluster } from './cluster-access.ts'

const temporary = async (files: Readonly<Record<string, string>>) => {
  const folder = await mkdtemp(join(tmpdir(), 'access-'))
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text)
  for (const [name, text] of Object.entries(files)) await write(name, text)
  return { folder, write, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

const account = { token: 'first\n', 'ca.crt': 'authority', namespace: 'system\n' }
const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' }

test('outside a cluster there is no service account', () => {
  assert.equal(inCluster({ environment: {}, clock: fakeClock() }), undefined)
})

test('in a cluster the service account says where, who and which namespace', async () => {
  await using files = await temporary(account)
  const access = inCluster({ environment, clock: fakeClock(), folder: files.folder })
  assert.deepEqual([access?.server.href, access?.namespace], ['https://10.0.0.1:6443/', 'system'])
  assert.deepEqual((await access?.connect(false))?.headers, { authorization: 'Bearer first' })
})

test('an IPv6 address becomes a URL', async () => {
  await using files = await temporary(account)
  const access = inCluster({
    environment: { KUBERNETES_SERVICE_HOST: 'fd00::1' },
    clock: fakeClock(),
    folder: files.folder,
  })
  assert.equal(access?.server.href, 'https://[fd00::1]/')
})

test('a rotated token is used within a minute, and at once after a refusal', async () => {
  await using files = await temporary(account)
  const clock = fakeClock()
  const access = inCluster({ environment, clock, folder: files.folder })
  const token = async (fresh = false) => (await access?.connect(fresh))?.headers['authorization']
  assert.equal(await token(), 'Bearer first')
  await files.write('token', 'second')
  await clock.advance(59_000)
  assert.equal(await token(), 'Bearer first')
  await clock.advance(2_000)
  assert.equal(await token(), 'Bearer second')
  await files.write('token', 'third')
  assert.equal(await token(true), 'Bearer third')
})

test('a rotated authority gets connections of its own', async () => {
  await using files = await temporary(account)
  const access = inCluster({ environment, clock: fakeClock(), folder: files.folder })
  const first = await access?.connect(false)
  assert.equal((await access?.connect(true))?.agent, first?.agent)
  await files.write('ca.crt', 'another authority')
  assert.notEqual((await access?.connect(true))?.agent, first?.agent)
})

const kubeconfig = (user: string): string => `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://cluster.example:6443/prefix", tls-server-name: inner.example}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: shop}}]
current-context: x
`

test('a kubeconfig gives server, namespace and token', async () => {
  await using files = await temporary({ config: kubeconfig('{token: secret-token}') })
  const access = await fromKubeconfig({ path: join(files.folder, 'config') })
  const { headers, agent } = await access.connect(false)
  assert.deepEqual([access.server.href, access.namespace], ['https://cluster.example:6443/prefix', 'shop'])
  assert.equal(headers['Authorization'] ?? headers['authorization'], 'Bearer secret-token')
  assert.equal((await access.connect(false)).agent, agent)
})

test('a kubeconfig may run a program for its credentials', async () => {
  const credential = JSON.stringify({ kind: 'ExecCredential', status: { token: 'made' } })
  const program = `{exec: {apiVersion: client.authentication.k8s.io/v1, command: echo, args: ['${credential}'], interactiveMode: Never}}`
  await using files = await temporary({ config: kubeconfig(program) })
  const access = await fromKubeconfig({ path: join(files.folder, 'config') })
  const { headers } = await access.connect(false)
  assert.equal(headers['Authorization'] ?? headers['authorization'], 'Bearer made')
})

test('a context that names no cluster is an error that says what to do', async () => {
  await using files = await temporary({ config: kubeconfig('{}') })
  const opening = fromKubeconfig({ path: join(files.folder, 'config'), context: 'absent' })
  await assert.rejects(opening, /context "absent" names no cluster; choose one/)
})

test('a broken kubeconfig is told by its place, and nothing in it is quoted', async () => {
  const whole = kubeconfig('{token: canary-4711}')
  const broken = [
    `${whole}foo`,
    whole.slice(0, whole.indexOf('4711') + 4),
    whole.replace('token: ', '*'),
    'canary-4711',
  ]
  for (const text of [...broken, whole.replace('https://cluster.example:6443/prefix', 'canary-4711')]) {
    await using files = await temporary({ config: text })
    await assert.rejects(fromKubeconfig({ path: join(files.folder, 'config') }), (error) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, /^kubeconfig/)
      return !inspect(error).includes('canary')
    })
  }
  await using files = await temporary({ config: broken[0] ?? '' })
  await assert.rejects(fromKubeconfig({ path: join(files.folder, 'config') }), /line 8, column 4: it is no YAML there$/)
  await assert.rejects(fromKubeconfig({ path: join(files.folder, 'none') }), /it cannot be read \(ENOENT\)$/)
})
