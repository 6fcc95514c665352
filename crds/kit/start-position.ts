import { z } from 'zod'
import { textOf, withRules } from './rules.ts'

const rfc3339 =
  /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/

/** Where to start when no checkpoint exists. */
export const startPosition = (
  types: readonly ['Earliest' | 'Latest' | 'Timestamp', ...('Earliest' | 'Latest' | 'Timestamp')[]],
) =>
  withRules(
    z.object({
      type: z.enum(types).default('Earliest').meta({ description: 'Earliest, Latest, or Timestamp with `timestamp`.' }),
      timestamp: textOf({ pattern: rfc3339, message: 'write an RFC 3339 time: 2026-01-31T12:00:00Z', maxLength: 40 })
        .meta({ description: 'RFC 3339 time of the first record to read, with type Timestamp.' })
        .optional(),
    }),
    [
      {
        cel: "(self.type == 'Timestamp') == has(self.timestamp)",
        message: 'timestamp goes with type Timestamp, and only with it',
        holds: (value) => (value.type === 'Timestamp') === (value.timestamp !== undefined),
      },
    ],
  )
    .prefault({})
    .meta({ description: 'Where to start when the bridge has no checkpoint yet. It has no effect afterwards.' })
