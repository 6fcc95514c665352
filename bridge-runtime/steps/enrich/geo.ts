import { z } from 'zod'
import { textOf } from '../../../crds/kit/rules.ts'
import type { Draft } from '../../draft/draft.ts'
import type { TransformContext } from '../../formats/define-format.ts'
import { getAt, type Path, parsePath, setAt } from '../../values/path.ts'
import type { Step } from '../define-step.ts'
import { namedField, valueField } from '../field-path.ts'
import { geoDatabase } from './geo-database.ts'

export const geoFields = z
  .object({
    database: z
      .object({
        volumePath: textOf({
          pattern: /^(\/[.]?[A-Za-z0-9@_+-][A-Za-z0-9@._+-]*)+$/,
          message: 'write the whole path of a file: /geo/country.mmdb',
          maxLength: 256,
        }).meta({
          description:
            'A file in the pods: of a volume or of the image. A new file is seen within a minute; the whole of it is held in memory.',
        }),
      })
      .meta({ description: 'A database in MaxMind’s format (MMDB).' }),
    ip: namedField.meta({ description: 'The address: `value.ip`.' }),
    into: valueField.meta({ description: 'What is known of it: `value.geo`.' }),
  })
  .meta({ description: 'Looks an IP address up. What is unknown, or no address, sets nothing.' })

export function geo({ database, ip, into }: z.output<typeof geoFields>, context: TransformContext): Step {
  const source = geoDatabase(database.volumePath)
  const from = parsePath(ip)
  const target = parsePath(into)
  return {
    prepare: () => source.prepare(context),
    apply(draft) {
      const address = textAt(draft, from)
      const found = address === undefined ? undefined : source.find(address)
      if (found !== undefined) draft.value = setAt(draft.value, target, found)
      return draft
    },
  }
}

function textAt(draft: Draft, { root, names }: Path): string | undefined {
  if (root === 'headers') return draft.headers.findLast(({ name }) => name === names[0])?.value?.toString()
  const field = getAt(draft.value, names)
  return typeof field === 'string' ? field : undefined
}
