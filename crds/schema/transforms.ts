/** `spec.transforms`: steps on the way from source to sink, composed from the stages there are. */
import { z } from 'zod'
import { stageSchemas } from '../../bridge-runtime/stages/catalog.ts'
import { exactlyOne } from '../kit/rules.ts'

const transforms = z
  .array(exactlyOne(stageSchemas))
  .max(32)
  .optional()
  .meta({ description: 'What happens to a record on the way, step by step.' })

/** The field, where there is a stage to write into it. */
export const transformField = (Object.keys(stageSchemas).length === 0 ? {} : { transforms }) as {
  readonly transforms: typeof transforms
}
