import { z } from 'zod'

export const generatorSource = z
  .object({
    recordsPerSecond: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(100)
      .meta({ description: 'Records per second, over all partitions.' }),
    keys: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(16)
      .meta({ description: 'How many different keys (client addresses) occur.' }),
    partitions: z.int().min(1).max(64).default(1).meta({ description: 'Partitions that replicas can share.' }),
    records: z
      .int()
      .min(1)
      .meta({ description: 'Stop after so many records over all partitions. Default: never.' })
      .optional(),
    seed: z.int().min(0).max(4_294_967_295).default(1).meta({ description: 'The same seed makes the same records.' }),
  })
  .meta({
    description:
      'Make web access-log lines (Combined Log Format), for demonstrations and load tests. Record n is always the same.',
  })

export type GeneratorConfig = z.output<typeof generatorSource>
