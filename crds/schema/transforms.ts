/** What happens to a record on the way: `spec.decode`, `spec.transforms`, `spec.encode`, composed from the formats and steps there are. */
import { z } from 'zod'
import { decoderSchemas, encoderSchemas } from '../../bridge-runtime/formats/catalog.ts'
import { stepSchemas, steps } from '../../bridge-runtime/steps/catalog.ts'
import { exactlyOne, type Rule } from '../kit/rules.ts'

export const onTheWay = {
  decode: z
    .object({
      value: exactlyOne(decoderSchemas)
        .meta({ description: 'Default: json, where a step reads the value.' })
        .optional(),
      key: exactlyOne(decoderSchemas).meta({ description: 'Default: text, where a step reads the key.' }).optional(),
    })
    .optional()
    .meta({
      description: 'How keys and values are read. A record that cannot be read goes the way of `delivery.onFailure`.',
    }),
  transforms: z
    .array(exactlyOne(stepSchemas))
    .max(32)
    .optional()
    .meta({ description: 'What happens to a record on the way, step by step.' }),
  encode: z
    .object({
      value: exactlyOne(encoderSchemas).optional(),
      key: exactlyOne(encoderSchemas).optional(),
    })
    .optional()
    .meta({
      description:
        'How keys and values are written. Default: as they were read where that is JSON, text or bytes, and else as JSON. What no step changed keeps its bytes.',
    }),
}

interface Spec {
  readonly delivery: { readonly ordering: string }
  readonly transforms?: readonly Readonly<Record<string, unknown>>[] | undefined
}

const changers = Object.values(steps).flatMap(({ name, changesKeys }) => (changesKeys === true ? [name] : []))

/** Another key is another place in the order: that of a whole partition cannot hold then. */
export const keysAreKept: Rule<Spec> = {
  cel: `self.delivery.ordering != 'PerPartition' || !has(self.transforms) || self.transforms.all(step, ${changers
    .map((name) => `!has(step.${name})`)
    .join(' && ')})`,
  message: `delivery.ordering PerPartition keeps the order of a whole partition, which ${changers.join(', ')} would change: use PerKey`,
  holds: ({ delivery, transforms = [] }) =>
    delivery.ordering !== 'PerPartition' ||
    transforms.every((step) => changers.every((name) => step[name] === undefined)),
}

interface Read extends Spec {
  readonly decode?: { readonly value?: object | undefined } | undefined
}

/** A line of a log is no JSON, which is what a value is read as where nothing is said. */
export const textIsDecoded: Rule<Pick<Read, 'decode' | 'transforms'>> = {
  cel: "!has(self.transforms) || self.transforms.size() == 0 || !has(self.transforms[0].parse) || self.transforms[0].parse.from != 'value' || (has(self.decode) && has(self.decode.value))",
  message: 'the first step parses the whole value, which is read as JSON: set decode.value: {text: {}}',
  holds: ({ decode, transforms = [] }) => {
    const parse = transforms[0]?.['parse'] as { readonly from?: string } | undefined
    return parse === undefined || parse.from !== 'value' || decode?.value !== undefined
  },
}
