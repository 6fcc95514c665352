/** A toy sink that collects: files of so many lines, each there as a whole or not at all. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type ConnectorDefinition, defineSink } from '../../../../bridge-runtime/connectors/define-connector.ts'
import { rollingSink } from '../../../../bridge-runtime/connectors/rolling.ts'

export const rollingFile = {
  name: 'rollingFile',
  summary: 'Files of so many lines',
  sink: defineSink({
    schema: z.object({
      directory: z.string().max(500).meta({ description: 'Where the files go.' }),
      lines: z.int().min(1).max(1_000_000).default(1_000).meta({ description: 'Lines of one file.' }),
    }),
    lanes: 1,
    describe: ({ directory }) => ({ name: directory }),
    largestRecord: () => ({ bytes: Number.POSITIVE_INFINITY }),
    open: ({ directory, lines }, { clock }) =>
      Promise.resolve(
        rollingSink({
          limits: { maxRecords: 100, maxBytes: 1_000_000 },
          open: async () => void (await mkdir(directory, { recursive: true })),
          begin: ({ partition, first }) => {
            const path = join(directory, `${partition.replaceAll('/', '-')}-${String(first).padStart(12, '0')}`)
            const written: string[] = []
            return Promise.resolve({
              append: (batch) => {
                written.push(...batch.records().map(({ value }) => `${value}`))
                return Promise.resolve({ failures: new Map(), bytes: 0 })
              },
              complete: async () => {
                await writeFile(`${path}.part`, `${written.join('\n')}\n`)
                await rename(`${path}.part`, `${path}.txt`)
              },
              abandon: () => Promise.resolve(),
            })
          },
          roll: { maxBytes: Number.POSITIVE_INFINITY, maxRecords: lines, maxAge: 60_000 },
          backoff: { initial: 100, max: 1_000 },
          clock,
          random: Math.random,
          close: () => Promise.resolve(),
        }),
      ),
  }),
} satisfies ConnectorDefinition
