/** A toy broker: a folder is a stream, a file in it a partition, a line a record. */
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { allDelivered, type PartitionReader } from '../../../../bridge-runtime/core/contracts.ts'
import { BridgeError } from '../../../../bridge-runtime/core/errors.ts'
import {
  type ConnectorDefinition,
  defineSink,
  defineSource,
} from '../../../../bridge-runtime/connectors/define-connector.ts'
import { fromEarliest } from '../../../../bridge-runtime/history/content.ts'
import { coordinate } from '../../../../bridge-runtime/leases/coordinate.ts'
import type { Ownership } from '../../../../bridge-runtime/leases/partitioned-source.ts'

const schema = z.object({ path: z.string().max(500).meta({ description: 'The folder.' }) })

const linesOf = async (path: string): Promise<readonly string[]> =>
  (await readFile(path, 'utf8')).split('\n').slice(0, -1)

function readerOf({ partition, epoch, checkpoint, commit }: Ownership, path: string): PartitionReader {
  let next = Number(checkpoint.position ?? -1) + 1
  return {
    partition,
    stream: undefined,
    epoch,
    settlement: { kind: 'watermark', commit },
    lag: () => ({ kind: 'unknown', reason: 'a folder does not say' }),
    async poll(signal) {
      const lines = (await linesOf(join(path, partition))).slice(next, next + 100)
      if (lines.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 50)
          signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
        })
        return undefined
      }
      const first = next
      next += lines.length
      const records = lines.map((line, index) => ({
        key: null,
        value: Buffer.from(line),
        headers: [],
        timestamp: 0,
        position: first + index,
      }))
      const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
      return { count: records.length, bytes, first, last: next - 1, lastTimestamp: 0, records: () => records }
    },
  }
}

export const folder = {
  name: 'folder',
  summary: 'A folder of files of lines',
  source: defineSource({
    schema,
    partitioned: true,
    describe: ({ path }) => ({ name: path }),
    largestRecord: () => 1_000_000,
    open: ({ path }, { leases: store, history, replica, clock, log }) =>
      Promise.resolve({
        run: (host, signal) =>
          coordinate(
            {
              name: path,
              finite: false,
              isMissing: () => false,
              identify: () => Promise.resolve({ name: path, birth: undefined }),
              begin: () => Promise.resolve(fromEarliest),
              discover: async () => (await readdir(path)).map((partition) => ({ partition, parents: [] })),
              open: (ownership) => readerOf(ownership, path),
            },
            { store, history, replica, leaseDuration: 5_000, discoverInterval: 1_000, clock, random: Math.random, log },
            host,
            signal,
          ),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  }),
  sink: defineSink({
    schema,
    lanes: 1,
    keepsPartitions: true,
    describe: ({ path }) => ({ name: path }),
    largestRecord: () => ({ bytes: Number.POSITIVE_INFINITY }),
    open: ({ path }) =>
      Promise.resolve({
        limits: { maxRecords: 1_000, maxBytes: 1_000_000 },
        async open() {
          await mkdir(path, { recursive: true }).catch((cause: unknown) => {
            throw new BridgeError(`folder ${path} cannot be made`, { kind: 'retryable', reason: 'Unknown', cause })
          })
        },
        async write(batch) {
          const lines = batch.records().map(({ value }) => `${value}\n`)
          await appendFile(join(path, batch.partition.replaceAll('/', '-')), lines.join(''))
          return allDelivered
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  }),
} satisfies ConnectorDefinition
