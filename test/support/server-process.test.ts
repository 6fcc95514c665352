import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from './eventually.ts'
import { awaitReady, freePorts, startServer, temporaryDirectory } from './server-process.ts'

const directory = temporaryDirectory('server-process')
const alive = (pid: number): boolean => existsSync(`/proc/${pid}`) || canSignal(pid)

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A process that starts a server and tells its pid. */
async function parent(): Promise<{ readonly child: ChildProcess; readonly server: number }> {
  const module = join(import.meta.dirname, 'server-process.ts')
  const program = `import { startServer, temporaryDirectory } from ${JSON.stringify(module)}
    const server = await startServer({ name: 'sleeper', command: 'sleep', args: ['600'], directory: temporaryDirectory('p') })
    console.log(server.pid)
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, server: Number(line.toString()) }
}

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const)
  test(`a server does not outlive a process that ends by ${signal}`, async () => {
    const { child, server } = await parent()
    assert.ok(alive(server))
    child.kill(signal)
    await eventually('the end of the server', () => !alive(server))
  })

test('a server that is stopped gets its signal and the time to end well', async () => {
  const script = 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.05; done'
  const server = await startServer({ name: 'polite', command: 'sh', args: ['-c', script], directory })
  await awaitReady(server, 'polite', () => Promise.resolve(readFileSync(server.logFile, 'utf8').includes('ready')))
  await server.stop()
  assert.equal(await server.exited(), 7)
  assert.match(readFileSync(server.logFile, 'utf8'), /bye/)
})

test('a server that does not stop in time is killed', async () => {
  const script = 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
  const server = await startServer({ name: 'stubborn', command: 'sh', args: ['-c', script], directory })
  await awaitReady(server, 'stubborn', () => Promise.resolve(readFileSync(server.logFile, 'utf8').includes('ready')))
  await server.stop(100)
  assert.equal(await server.exited(), 'SIGKILL')
})

test('a server that ends before it is ready shows its last words', async () => {
  const server = await startServer({ name: 'broken', command: 'sh', args: ['-c', 'echo no port; exit 3'], directory })
  await assert.rejects(
    awaitReady(server, 'Broken', () => Promise.resolve(false)),
    /Broken exited with 3 before it was ready.*no port/s,
  )
})

test('free ports differ', async () => {
  const ports = await freePorts(20)
  assert.equal(new Set(ports).size, 20)
})
