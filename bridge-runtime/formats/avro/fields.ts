/** `spec.decode.value.avro` and `spec.encode.value.avro`. */
import { z } from 'zod'
import { oneOf, withRules } from '../../../crds/kit/rules.ts'
import { registry } from '../registry/fields.ts'
import { parseSchema, SchemaError } from './node.ts'

const inlineSchema = z
  .string()
  .min(1)
  .max(65_536)
  .superRefine((text, context) => {
    try {
      parseSchema(text)
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error
      context.addIssue(`no Avro schema: ${error.message}`)
    }
  })
  .meta({ description: 'The schema, as JSON.' })

const schema = z.object({ inline: inlineSchema }).meta({ description: 'The schema of every record.' })

export const readFields = withRules(z.object({ registry: registry.optional(), schema: schema.optional() }), [
  oneOf(['registry', 'schema']),
]).meta({
  description:
    'With `registry` each value begins with the id of its schema, as Confluent’s serializers write it. With `schema` there is no such beginning.',
})

export const writeFields = withRules(
  z.object({
    registry: registry.optional(),
    schema: schema.optional(),
    subject: z
      .string()
      .min(1)
      .max(255)
      .meta({ description: 'Subject of the schema in the registry. Default: the target’s name with -value or -key.' })
      .optional(),
    register: z
      .boolean()
      .default(false)
      .meta({ description: 'Register `schema` where the subject does not have it. Otherwise it must be there.' }),
  }),
  [
    {
      cel: 'has(self.registry) || has(self.schema)',
      message: 'set registry, schema or both',
      holds: (value) => value.registry !== undefined || value.schema !== undefined,
    },
    {
      cel: '!self.register || (has(self.registry) && has(self.schema))',
      message: 'register goes with registry and schema: it says what is registered where',
      holds: (value) => !value.register || (value.registry !== undefined && value.schema !== undefined),
    },
    {
      cel: '!has(self.subject) || has(self.registry)',
      message: 'subject goes with registry',
      holds: (value) => value.subject === undefined || value.registry !== undefined,
    },
  ],
).meta({
  description:
    'With `registry` each value begins with the id of its schema: of `schema`, or else of the latest of the subject. With `schema` alone there is no such beginning.',
})

export type ReadConfig = z.output<typeof readFields>
export type WriteConfig = z.output<typeof writeFields>
