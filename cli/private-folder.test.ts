import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../test/support/server-process.ts'
import { privateFolder } from './private-folder.ts'

/** A process that owns a folder and waits; resolves with the folder. */
async function owner(t: TestContext, parent: string, then = 'setInterval(() => {}, 1000)') {
  const program = `import { writeFileSync } from 'node:fs'
    import { privateFolder } from ${JSON.stringify(new URL('private-folder.ts', import.meta.url))}
    const { path } = await privateFolder(${JSON.stringify(parent)})
    writeFileSync(path + '/password', 'canary', { mode: 0o600 })
    console.log(path)
    ${then}`
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const [path] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, path, exited }
}

test('only its user may enter it, and it is gone when it is disposed', async () => {
  const parent = temporaryDirectory('folders')
  const folder = await privateFolder(parent)
  assert.equal(statSync(folder.path).mode & 0o777, 0o700)
  await folder[Symbol.asyncDispose]()
  assert.deepEqual(readdirSync(parent), [])
})

test('what a killed process left is removed at the next start; what a running one has is not', async (t) => {
  const parent = temporaryDirectory('folders')
  const [killed, running] = await Promise.all([owner(t, parent), owner(t, parent)])
  killed.child.kill('SIGKILL')
  await killed.exited
  assert.ok(existsSync(join(killed.path, 'password')))
  await using _next = await privateFolder(parent)
  assert.deepEqual([existsSync(killed.path), existsSync(join(running.path, 'password'))], [false, true])
})

test('a process that is stopped for a while still owns its folder', async (t) => {
  const parent = temporaryDirectory('folders')
  const { child, path } = await owner(t, parent)
  child.kill('SIGSTOP')
  await using _next = await privateFolder(parent)
  assert.ok(existsSync(path))
})

test('a process that exits without ado takes its folder with it', async (t) => {
  const parent = temporaryDirectory('folders')
  const { path, exited } = await owner(t, parent, 'process.exit(1)')
  await exited
  assert.equal(existsSync(path), false)
})

test('a folder that has no owner yet is left alone for a minute, and other folders always', async () => {
  const parent = temporaryDirectory('folders')
  const [young, old, other] = ['streambridge-local-a', 'streambridge-local-b', 'else'].map((name) => join(parent, name))
  assert.ok(young !== undefined && old !== undefined && other !== undefined)
  for (const path of [young, old, other]) {
    mkdirSync(path)
    writeFileSync(join(path, 'file'), '')
  }
  for (const path of [old, other]) utimesSync(path, new Date(0), new Date(0))
  await using _next = await privateFolder(parent)
  assert.deepEqual([young, old, other].map(existsSync), [true, false, true])
})

test('a TMPDIR whose name is too long for a socket is told as such', async () => {
  const parent = join(temporaryDirectory('folders'), 'x'.repeat(120))
  mkdirSync(parent)
  await assert.rejects(privateFolder(parent), /set TMPDIR to a folder with a short name/)
  assert.deepEqual(readdirSync(parent), [])
})
