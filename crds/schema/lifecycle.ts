/** Whether a bridge runs, and whether it begins anew. */
import { z } from 'zod'
import { textOf } from '../kit/rules.ts'

export const lifecycle = z
  .object({
    desiredState: z
      .enum(['Running', 'Paused'])
      .default('Running')
      .meta({ description: 'Paused stops all replicas and keeps the position.' }),
    reset: z
      .object({
        token: textOf({
          pattern: /^[A-Za-z0-9]([-A-Za-z0-9_.:]*[A-Za-z0-9])?$/,
          message: 'write letters, digits, hyphens, underscores, dots and colons, such as a date',
          maxLength: 63,
        }).meta({ description: 'Any text that was not used before, such as a date. Each is carried out once.' }),
      })
      .meta({
        description:
          'Forgets every position, once for each token: the bridge begins at startPosition as if it had never run. A decision where positions are lost or belong to another stream. May change while desiredState is Paused, or in the edit that sets it back to Running.',
      })
      .optional(),
  })
  .prefault({})
  .meta({ description: 'Pause, resume and begin anew.' })
