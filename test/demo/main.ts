/**
 * The main job at work: an embedded Kinesis, a bridge that loads it, a bridge that archives it under more load than one
 * replica takes, scaling on lag, and a replica killed on the way. On a terminal it goes on until Ctrl-C.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileLeases } from '../../bridge-runtime/lease-stores/file/file.ts'
import { eventually } from '../support/eventually.ts'
import { createStream, startKinesis } from '../support/kinesis.ts'
import { distinctRecords, tallyArchive } from './archive.ts'
import { replicasOf } from './bridge-processes.ts'

const stream = 'access-log'
const load = { keys: 64, partitions: 1, seed: 1 }
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = resolve(root, '.cache/demo')
const output = join(folder, 'access-log.jsonl')
const manifests = join(folder, 'manifests')
const state = join(folder, 'state')
const say = (text: string): void => void process.stdout.write(`demo: ${text}\n`)

/** The examples as they are, with the embedded endpoint's address. */
async function prepare(endpoint: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await cp(join(root, 'examples/demo'), manifests, { recursive: true })
  for (const name of ['1-load.yaml', '2-archive.yaml']) {
    await edit(name, (text) =>
      text.replace('http://127.0.0.1:4568', endpoint).replace('.cache/demo/access-log.jsonl', output),
    )
  }
}

async function edit(name: string, change: (text: string) => string): Promise<void> {
  const path = join(manifests, name)
  await writeFile(path, change(await readFile(path, 'utf8')))
}

/** Records that the load's sink has acknowledged: its checkpoint. */
async function sent(): Promise<number> {
  const [lease] = await fileLeases(join(state, 'default', 'demo-load')).list()
  const position = lease?.checkpoint.position
  return position === undefined ? 0 : Number(position) + 1
}

async function killOne(parent: number): Promise<void> {
  const replicas = await replicasOf('demo-archive', parent)
  const victim = replicas.at(-1)
  if (victim === undefined) throw new Error('no replica of demo-archive is running')
  say(`killing one of ${replicas.length} replicas of demo-archive (kill -9 ${victim})`)
  process.kill(victim, 'SIGKILL')
}

const interrupted = once(process, 'SIGINT')
const pause = (seconds: number): Promise<unknown> =>
  Promise.race([interrupted, new Promise((wake) => setTimeout(wake, seconds * 1000))])

await using kinesis = await startKinesis()
await createStream(kinesis.endpoint, stream, 4)
await prepare(kinesis.endpoint)
say(`Kinesis runs at ${kinesis.endpoint}; streambridge dev -f ${manifests}`)
// A process group of its own: Ctrl-C comes here first, and the demo ends in order.
const dev = spawn(
  process.execPath,
  ['--no-warnings', join(root, 'cli/main.ts'), 'dev', '-f', manifests, '--state', state],
  { stdio: 'inherit', detached: true },
)
const ended = once(dev, 'exit')
process.on('exit', () => dev.kill('SIGKILL'))
const parent = dev.pid ?? 0

let widest = 0
const watching = setInterval(() => {
  void replicasOf('demo-archive', parent).then((replicas) => {
    widest = Math.max(widest, replicas.length)
  })
}, 1000)
await pause(18)
await killOne(parent)
await (process.stdout.isTTY ? interrupted : pause(14))
clearInterval(watching)

say('pausing the load; the archive catches up')
await edit('1-load.yaml', (text) => text.replace('spec:\n', 'spec:\n  lifecycle: {desiredState: Paused}\n'))
await eventually('the load has stopped', async () => (await replicasOf('demo-load', parent)).length === 0)
const records = await sent()
await eventually(
  `all ${records} records are in the file`,
  () => distinctRecords(output),
  (count) => count >= records,
  { within: 120_000, every: 500 },
)
dev.kill('SIGINT')
await ended

const tally = await tallyArchive(output, load, records)
for (const sample of tally.samples) say(sample)
say(`demo-archive was scaled from 1 to ${widest} replicas on lag`)
process.stdout.write(
  `moved ${tally.received}, lost ${tally.lost}, duplicated ${tally.duplicated}, reordered ${tally.reordered}\n`,
)
process.exitCode = tally.lost + tally.reordered + tally.corrupt === 0 && widest > 1 ? 0 : 1
