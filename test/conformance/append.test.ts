/** The rolling wrapper, over files: what every sink that collects records is made of. */
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { rollingSink } from '../../bridge-runtime/connectors/rolling.ts'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { BridgeError } from '../../bridge-runtime/core/errors.ts'
import { appendSuite, type Landing } from './append-suite.ts'

const passing = new BridgeError('the disk is busy', { kind: 'retryable', reason: 'EndpointUnreachable' })
const directories: string[] = []
after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))))

async function folder(): Promise<Landing> {
  const directory = await mkdtemp(join(tmpdir(), 'rolling-'))
  directories.push(directory)
  let failing = 0
  let dead = false
  return {
    sink: ({ maxAge }) =>
      rollingSink({
        limits: { maxRecords: 7, maxBytes: 1_000 },
        open: () => Promise.resolve(),
        begin: (first) => {
          const lines: string[] = []
          const path = join(directory, `${first.partition.replaceAll('/', '-')}-${first.epoch}-${first.first}`)
          return Promise.resolve({
            append: (batch) => {
              for (const { value } of batch.records()) lines.push(`${value}`)
              return Promise.resolve({ failures: new Map(), bytes: lines.join('\n').length })
            },
            complete: async () => {
              if (dead) return new Promise<void>(() => undefined)
              if (failing-- > 0) throw passing
              await writeFile(`${path}.part`, lines.join('\n'))
              await rename(`${path}.part`, `${path}.txt`)
            },
            abandon: () => Promise.resolve(),
          })
        },
        roll: { maxBytes: 150, maxRecords: 60, maxAge },
        backoff: { initial: 1, max: 5 },
        clock: realClock,
        random: Math.random,
        close: () => Promise.resolve(),
      }),
    durable: async () => {
      const files = (await readdir(directory)).filter((file) => file.endsWith('.txt'))
      const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')))
      return texts.flatMap((text) => text.split('\n'))
    },
    failNext: (attempts) => {
      failing = attempts
    },
    die: () => {
      dead = true
    },
  }
}

appendSuite('files', folder)
