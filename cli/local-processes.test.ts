import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileLeases } from '../bridge-runtime/lease-stores/file/file.ts'
import { startCli } from '../test/support/cli-process.ts'
import { eventually } from '../test/support/eventually.ts'
import { temporaryDirectory } from '../test/support/server-process.ts'

const bridge = (spec: object): string =>
  JSON.stringify({ apiVersion: 'streambridge.dev/v1alpha1', kind: 'StreamBridge', metadata: { name: 'orders' }, spec })

const generated = { generator: { recordsPerSecond: 10 } }

/** Two manifests: a bridge whose sink is out of reach, and the Secret it names. */
const withSecret = `${bridge({
  source: generated,
  sink: {
    kinesis: {
      region: 'eu-west-1',
      endpoint: 'http://127.0.0.1:1',
      streamName: 'orders',
      auth: {
        accessKeyIdSecretRef: { name: 'aws', key: 'id' },
        secretAccessKeySecretRef: { name: 'aws', key: 'secret' },
      },
    },
  },
  delivery: { drainTimeout: '1s' },
})}
---
${JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'aws' }, stringData: { id: 'a', secret: 'canary' } })}
`

/** Whether somebody accepts a connection there. */
const listens = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 2_000 })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })

const secretFiles = (folder: string): readonly string[] =>
  globSync('streambridge-local-*/{,*/secrets/}aws/secret', { cwd: folder }).map((path) => join(folder, path))

test('run listens on this machine alone unless it is asked to do otherwise', async (t) => {
  const folder = temporaryDirectory('run')
  const file = join(folder, 'orders.yaml')
  writeFileSync(file, bridge({ source: generated, sink: { file: { path: join(folder, 'out') } } }))
  const usual = startCli(t, ['run', '-f', file], folder)
  const asked = startCli(t, ['run', '-f', file, '--listen', '0.0.0.0', '--state', join(folder, 'other')], folder)
  const [, port] = await usual.prints(/http:\/\/127\.0\.0\.1:([0-9]+)\/status/)
  const [, open] = await asked.prints(/http:\/\/0\.0\.0\.0:([0-9]+)\/status/)
  // All of 127.0.0.0/8 is this machine on Linux, and a listener at 127.0.0.1 is not at the others.
  assert.deepEqual([await listens(Number(port)), await listens(Number(port), '127.0.0.2')], [true, false])
  if (process.platform === 'linux') assert.equal(await listens(Number(open), '127.0.0.2'), true)
  const wrong = startCli(t, ['run', '-f', file, '--listen', 'everywhere'], folder)
  assert.equal(await wrong.exited, 2)
  assert.match(wrong.printed(), /--listen takes an IP address/)
})

test('run leaves no Secret behind, and removes what one that was killed has left', async (t) => {
  const folder = temporaryDirectory('run')
  const file = join(folder, 'orders.yaml')
  writeFileSync(file, withSecret)
  const killed = startCli(t, ['run', '-f', file], folder)
  await killed.prints(/running/)
  const [path = ''] = secretFiles(folder)
  assert.equal(readFileSync(path, 'utf8'), 'canary')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  killed.kill('SIGKILL')
  await killed.exited
  const next = startCli(t, ['run', '-f', file], folder)
  await next.prints(/running/)
  assert.equal(existsSync(path), false)
  next.kill('SIGTERM')
  await next.exited
  assert.deepEqual(secretFiles(folder), [])
})

test('pods of dev listen on this machine alone, end with a dev that is killed, and its Secrets go at the next start', async (t) => {
  const folder = temporaryDirectory('dev')
  const file = join(folder, 'orders.yaml')
  writeFileSync(file, withSecret)
  const killed = startCli(t, ['dev', '-f', file, '--logs'], folder)
  const [, port] = await killed.prints(/"message":"started".*?"port":([0-9]+)/)
  assert.deepEqual([await listens(Number(port)), await listens(Number(port), '127.0.0.2')], [true, false])
  const [path = ''] = secretFiles(folder)
  assert.equal(readFileSync(path, 'utf8'), 'canary')
  const [owned = ''] = globSync('streambridge-local-*', { cwd: folder })
  assert.deepEqual([statSync(join(folder, owned)).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600])
  killed.kill('SIGKILL')
  await killed.exited
  await eventually(
    'the pod has ended',
    () => listens(Number(port)),
    (still) => !still,
  )
  const next = startCli(t, ['dev', '-f', file, '--logs'], folder)
  await next.prints(/"message":"started"/)
  assert.equal(existsSync(join(folder, owned)), false)
  next.kill('SIGTERM')
  await next.exited
  assert.deepEqual(globSync('streambridge-local-*', { cwd: folder }), [])
})

test('the pods of a dev that is killed drain: what they have moved is committed, and their partitions are free', async (t) => {
  const folder = temporaryDirectory('dev')
  const [file, out, state] = [join(folder, 'orders.yaml'), join(folder, 'out'), join(folder, 'state')]
  const quick = { generator: { recordsPerSecond: 200, partitions: 2, keys: 4 } }
  // Committed at a drain, and hardly ever else.
  writeFileSync(file, bridge({ source: quick, sink: { file: { path: out } }, delivery: { commitInterval: '10m' } }))
  const dev = startCli(t, ['dev', '-f', file, '--state', state], folder)
  const lines = (): number => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').length - 1 : 0)
  await eventually('records flow', () => lines() > 100)
  dev.kill('SIGKILL')
  await dev.exited
  const store = fileLeases(join(state, 'default', 'orders'))
  const leases = await eventually(
    'every partition is free',
    async () => (await store.list()).filter(({ partition }) => !partition.startsWith('~')),
    (all) => all.length === 2 && all.every(({ owner }) => owner === undefined),
  )
  const committed = leases.reduce((sum, { checkpoint }) => sum + Number(checkpoint.position) + 1, 0)
  assert.equal(committed, lines())
})
