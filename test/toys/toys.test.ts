/** What comes next fits: a toy of each kind is added with its folder and one line of a catalogue, and nothing else. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { eventually } from '../support/eventually.ts'
import type { Lease } from '../../bridge-runtime/lease-stores/lease-store.ts'
import { runCommand } from '../support/run-command.ts'
import { type Toy, withToys } from './with-toys.ts'

const bridge = (spec: object) => ({
  apiVersion: 'streambridge.dev/v1alpha1',
  kind: 'StreamBridge',
  metadata: { name: 'toy' },
  spec,
})

/** A bridge over toys, run by the product's own command line. */
async function toyBridge(t: TestContext, toys: readonly Toy[], specOf: (folder: string) => object) {
  const copy = await withToys(t, toys)
  const folder = join(copy, 'data')
  await mkdir(folder)
  await writeFile(join(copy, 'toy.json'), JSON.stringify(bridge(specOf(folder))))
  const command = (...args: readonly string[]) => runCommand(process.execPath, ['cli/main.ts', ...args], { cwd: copy })
  /** @returns stops it in good order */
  const started = (...args: readonly string[]): (() => Promise<void>) => {
    const child = spawn(process.execPath, ['cli/main.ts', ...args], { cwd: copy, stdio: 'ignore' })
    const exited = once(child, 'exit')
    t.after(() => child.kill('SIGKILL'))
    return async () => {
      child.kill('SIGTERM')
      await exited
    }
  }
  return {
    folder,
    run: (...more: readonly string[]) => command('run', '-f', 'toy.json', '--state', 'state', ...more),
    validate: () => command('validate', '-f', 'toy.json'),
    generate: () => runCommand(process.execPath, ['docs/generate/main.ts'], { cwd: copy }),
    /** Runs the bridge until it is stopped. */
    begin: () => started('run', '-f', 'toy.json', '--state', 'state'),
    /** Starts a replica as the operator does, from a bridge file. */
    replica: async (file: object) => {
      await writeFile(join(copy, 'bridge.json'), JSON.stringify(file))
      return started('bridge', '--config', 'bridge.json', '--port', '0')
    },
    read: (path: string) => readFile(join(copy, path), 'utf8'),
  }
}

const lines = async (folder: string): Promise<readonly string[]> => {
  const files = (await readdir(folder)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return texts.flatMap((text) => text.split('\n').slice(0, -1))
}

const numbers: Toy = { folder: 'connectors/numbers', name: 'numbers' }
const folder: Toy = { folder: 'connectors/folder', name: 'folder' }
const rollingFile: Toy = { folder: 'connectors/rolling-file', name: 'rollingFile' }
const oneFile: Toy = { folder: 'stores/one-file', name: 'oneFile' }
const keepMatching: Toy = { folder: 'steps/keep-matching', name: 'keepMatching' }

test('a finite source and a fifth broker need their folders and a line each: a bridge over them runs, and ends', async (t) => {
  const toy = await toyBridge(t, [numbers, folder], (path) => ({
    source: { numbers: { until: 250 } },
    sink: { folder: { path } },
    delivery: { ordering: 'PerPartition' },
  }))
  await toy.validate()
  await toy.run()
  const expected = ['a', 'b'].flatMap((partition) =>
    Array.from({ length: 250 }, (_, number) => `${partition}/${number}`),
  )
  assert.deepEqual(await lines(toy.folder), expected)
  await toy.run()
  assert.deepEqual(await lines(toy.folder), expected, 'what is finished is not read again')
})

test('a rolling-file sink needs its folder and a line: files are whole, and hold each record once', async (t) => {
  const toy = await toyBridge(t, [numbers, rollingFile], (directory) => ({
    source: { numbers: { until: 250 } },
    sink: { rollingFile: { directory, lines: 100 } },
  }))
  await toy.run()
  for (const partition of ['a', 'b']) {
    const files = (await readdir(toy.folder)).filter((file) => file.startsWith(partition)).sort()
    let next = 0
    for (const [index, file] of files.entries()) {
      assert.equal(file, `${partition}-${String(next).padStart(12, '0')}.txt`, 'named by its first position')
      const count = (await readFile(join(toy.folder, file), 'utf8')).split('\n').length - 1
      assert.ok(count >= 100 || index === files.length - 1)
      next += count
    }
  }
  const expected = ['a', 'b'].flatMap((partition) => Array.from({ length: 250 }, (_, n) => `${partition}/${n}`))
  assert.deepEqual(await lines(toy.folder), expected)
})

test('a step needs its folder and a line: it is in the API, is checked, and runs', async (t) => {
  const toy = await toyBridge(t, [numbers, folder, keepMatching], (path) => ({
    source: { numbers: { until: 250 } },
    transforms: [{ keepMatching: { text: '/1' } }, { keepMatching: { text: '99' } }],
    sink: { folder: { path } },
  }))
  await toy.validate()
  await toy.run()
  assert.deepEqual(await lines(toy.folder), ['a/199', 'b/199'])
  await toy.generate()
  assert.match(await toy.read('crds/streambridges.yaml'), /keepMatching/)
  assert.match(await toy.read('docs/reference/steps/keepMatching.md'), /spec\.transforms\[\]\.keepMatching/)
})

test('a fifth broker is read as well: where a bridge stopped it goes on', async (t) => {
  const toy = await toyBridge(t, [folder], (path) => ({
    source: { folder: { path: join(path, 'in') } },
    sink: { file: { path: join(path, 'out.jsonl') } },
  }))
  await mkdir(join(toy.folder, 'in'))
  const add = (count: number) =>
    writeFile(join(toy.folder, 'in', 'p'), Array.from({ length: count }, (_, n) => `${n}\n`).join(''))
  const out = async (): Promise<readonly string[]> =>
    (await readFile(join(toy.folder, 'out.jsonl'), 'utf8').catch(() => '')).split('\n').slice(0, -1)
  for (const count of [30, 50]) {
    await add(count)
    const stop = toy.begin()
    await eventually('all of it is there', async () => (await out()).length >= count)
    await stop()
  }
  assert.deepEqual(
    (await out()).map((line) => Number((JSON.parse(line) as { readonly value: string }).value)),
    Array.from({ length: 50 }, (_, n) => n),
  )
})

test('a lease store needs its folder and a line: a bridge file that names it has its positions there', async (t) => {
  const toy = await toyBridge(t, [numbers, folder, oneFile], () => ({}))
  const [out, positions] = [join(toy.folder, 'out'), join(toy.folder, 'positions.json')]
  const file = {
    namespace: 'shop',
    name: 'toy',
    uid: 'u',
    source: { numbers: { until: 250 } },
    sink: { folder: { path: out } },
    delivery: {},
    leases: { oneFile: { path: positions } },
    logLevel: 'info',
  }
  const moved = () => lines(out).catch((): readonly string[] => [])
  const settled = async (): Promise<boolean> => {
    const stored = JSON.parse(await readFile(positions, 'utf8').catch(() => '{}')) as Record<string, Lease>
    return ['a', 'b'].every((partition) => stored[partition]?.checkpoint.ended === true)
  }
  const stop = await toy.replica(file)
  await eventually('all positions are at the end', settled)
  await stop()
  assert.equal((await moved()).length, 500)
  const stopAgain = await toy.replica(file)
  await eventually('it has looked at the store', async () => {
    const stored = JSON.parse(await readFile(positions, 'utf8')) as Record<string, Lease>
    return Object.keys(stored).length > 0
  })
  await stopAgain()
  assert.equal((await moved()).length, 500, 'what is finished is not read again')
})
