import { z } from 'zod'
import { byteSize } from '../../../crds/kit/units.ts'

export const fileSink = z
  .object({
    path: z
      .string()
      .min(1)
      .max(1000)
      .meta({
        description:
          'File to append JSON lines to. Replicas on one machine may share it; they leave an empty line now and then, and a kill ' +
          'one that is cut off: skip both, the record is in a later line.',
      }),
    rotation: z
      .object({
        maxBytes: byteSize('Start the next file (path.1, path.2, ...) once the current one is this large.').default(
          '256Mi',
        ),
      })
      .meta({ description: 'Split the output into several files. Default: one file.' })
      .optional(),
  })
  .meta({ description: 'Append records as JSON lines to a file, for local use and as a dead-letter file.' })

export type FileSinkConfig = z.output<typeof fileSink>
