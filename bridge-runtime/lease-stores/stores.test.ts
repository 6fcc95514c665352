import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { BridgeError } from '../core/errors.ts'
import { fileLeases } from './file/file.ts'
import { kubernetesLeases } from './kubernetes/kubernetes.ts'
import { apiObjects } from '../../test/support/leases/api-objects.ts'
import { type KubernetesRequest, kubernetesRequest } from './kubernetes/request.ts'
import { isFencedError, leaseStoreSuite } from '../../test/support/leases/lease-store-suite.ts'
import { memoryLeases } from './memory.ts'

async function temporary(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'leases-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const inNamespace = (request: KubernetesRequest, uid = 'uid-1') =>
  kubernetesLeases({ namespace: 'shop', bridge: 'orders', uid, request, now: () => 0 })

leaseStoreSuite('memory', async () => {
  const store = memoryLeases()
  return () => store
})

leaseStoreSuite('files', async (t) => {
  const directory = await temporary(t)
  return () => fileLeases(directory)
})

leaseStoreSuite('Kubernetes', async () => {
  const { request } = apiObjects()
  return () => inNamespace(request)
})

test('leases of a deleted StreamBridge of the same name are not seen, and are replaced', async () => {
  const { request } = apiObjects()
  const [before, now] = [inNamespace(request, 'old'), inNamespace(request, 'new')]
  const old = await before.acquire(await before.create('p'), 'a')
  const moved = await before.checkpoint(old, { position: '7', ended: false })
  assert.deepEqual(await now.list(), [])
  const made = await now.create('p')
  assert.deepEqual([made.owner, made.epoch, made.checkpoint.position], [undefined, 0, undefined])
  await assert.rejects(before.renew(moved), isFencedError)
})

test('a refused request says what was refused, and that a person must act', async () => {
  const message = 'leases is forbidden: User "system:serviceaccount:shop:orders" cannot list'
  const store = inNamespace(async () => ({ status: 403, body: { message } }))
  await assert.rejects(store.list(), (thrown: unknown) => {
    assert.ok(thrown instanceof BridgeError)
    assert.deepEqual([thrown.kind, thrown.reason], ['fatal', 'LeaseStoreForbidden'])
    return thrown.message.includes(message)
  })
})

test('a request carries its body, and the token of the service account, read again when the kubelet rotates it', async (t) => {
  const directory = await temporary(t)
  const seen: (string | undefined)[] = []
  const bodies: unknown[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    void text(request).then((body) => {
      bodies.push(body)
      response.end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  await writeFile(join(directory, 'ca.crt'), '')
  await writeFile(join(directory, 'token'), 'one\n')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const request = kubernetesRequest({ url, accountDirectory: directory })
  await request('GET', '/a')
  await rm(join(directory, 'token'))
  await writeFile(join(directory, 'token'), 'two\n')
  await request('DELETE', '/b', { preconditions: {} })
  assert.deepEqual(seen, ['Bearer one', 'Bearer two'])
  assert.deepEqual(bodies, ['', '{"preconditions":{}}'])
})

test('an API server that does not answer is given up on, as a retryable error', async (t) => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const request = kubernetesRequest({ url, deadline: 50 })
  await assert.rejects(request('GET', '/a'), (thrown: unknown) => {
    assert.ok(thrown instanceof BridgeError)
    assert.deepEqual([thrown.kind, thrown.reason], ['retryable', 'LeaseStoreUnavailable'])
    return thrown.message.includes('no answer within 50 ms')
  })
})

/** Counts up in one lease as fast as it can, until it is killed; prints each number once it is stored. */
const counter = `
import { fileLeases } from ${JSON.stringify(new URL('./file/file.ts', import.meta.url).href)}
const store = fileLeases(process.argv[1])
for (;;) {
  try {
    const lease = await store.create('p')
    const position = (lease.checkpoint.position ?? 0) + 1
    await store.checkpoint(lease, { position, ended: false })
    process.stdout.write(position + '\\n')
  } catch (thrown) {
    if (thrown.reason !== 'Fenced') throw thrown
  }
}`

test('processes that write one lease and are killed at any moment lose no write, repeat none, and leave little behind', async (t) => {
  const directory = await temporary(t)
  const numbers: number[] = []
  const failures: string[] = []
  const life = async (milliseconds: number): Promise<void> => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', counter, directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.on('data', (chunk: Buffer) => numbers.push(...chunk.toString().trim().split('\n').map(Number)))
    child.stderr.on('data', (chunk: Buffer) => failures.push(chunk.toString()))
    const exited = once(child, 'close')
    await Promise.race([once(child.stdout, 'data'), exited])
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    child.kill('SIGKILL')
    await exited
  }
  await Promise.all(
    [1, 2, 3].map(async (n) => {
      for (let round = 0; round < 3; round += 1) await life(40 * n + 30 * round)
    }),
  )
  assert.deepEqual(failures, [])
  const [lease] = await fileLeases(directory).list()
  const last = Number(lease?.checkpoint.position)
  assert.equal(new Set(numbers).size, numbers.length)
  assert.ok(numbers.length > 0 && Math.max(...numbers) <= last)
  // A kill between storing and printing hides at most one number per life.
  assert.ok(last - numbers.length <= 9, `${last} stored, ${numbers.length} printed`)
  const [folder = ''] = await readdir(directory)
  assert.ok((await readdir(join(directory, folder))).length < 30)
})
