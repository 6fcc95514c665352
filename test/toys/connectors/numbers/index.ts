/** A toy source that ends: the numbers from 0 on, in partitions. */
import { z } from 'zod'
import type { PartitionReader } from '../../../../bridge-runtime/core/contracts.ts'
import { type ConnectorDefinition, defineSource } from '../../../../bridge-runtime/connectors/define-connector.ts'
import { fromEarliest } from '../../../../bridge-runtime/history/content.ts'
import { coordinate } from '../../../../bridge-runtime/leases/coordinate.ts'
import type { Ownership } from '../../../../bridge-runtime/leases/partitioned-source.ts'

function readerOf({ partition, epoch, checkpoint, commit }: Ownership, end: number): PartitionReader {
  let next = Number(checkpoint.position ?? -1) + 1
  let committed = next
  return {
    partition,
    stream: undefined,
    epoch,
    settlement: {
      kind: 'watermark',
      commit: async (progress) => {
        await commit(progress)
        committed = Number(progress.position ?? -1) + 1
      },
    },
    lag: () => ({ kind: 'known', records: end - committed }),
    poll: () => {
      if (next >= end) return Promise.resolve('end')
      const first = next
      next = Math.min(end, first + 10)
      const records = Array.from({ length: next - first }, (_, index) => ({
        key: null,
        value: Buffer.from(`${partition}/${first + index}`),
        headers: [],
        timestamp: 0,
        position: first + index,
      }))
      const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
      return Promise.resolve({
        count: records.length,
        bytes,
        first,
        last: next - 1,
        lastTimestamp: 0,
        records: () => records,
      })
    },
  }
}

export const numbers = {
  name: 'numbers',
  summary: 'Numbers from 0 on',
  source: defineSource({
    schema: z.object({
      until: z.int().min(1).max(1_000_000).meta({ description: 'The first number that is not given.' }),
    }),
    partitioned: true,
    describe: () => ({ name: 'numbers' }),
    largestRecord: () => 100,
    open: ({ until }, { leases: store, history, replica, clock, log }) =>
      Promise.resolve({
        run: (host, signal) =>
          coordinate(
            {
              name: 'numbers',
              finite: true,
              isMissing: () => false,
              identify: () => Promise.resolve({ name: 'numbers', birth: undefined }),
              begin: () => Promise.resolve(fromEarliest),
              discover: () => Promise.resolve(['a', 'b'].map((partition) => ({ partition, parents: [] }))),
              open: (ownership) => readerOf(ownership, until),
            },
            { store, history, replica, leaseDuration: 5_000, discoverInterval: 1_000, clock, random: Math.random, log },
            host,
            signal,
          ),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  }),
} satisfies ConnectorDefinition
