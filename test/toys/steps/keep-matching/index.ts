/** A toy step: keeps the records whose value has a text in it. */
import { z } from 'zod'
import { defineStep } from '../../../../bridge-runtime/steps/define-step.ts'

export const keepMatching = defineStep({
  name: 'keepMatching',
  summary: 'Keeps records that contain a text',
  schema: z.object({ text: z.string().max(100).meta({ description: 'What to look for.' }) }),
  open: ({ text }) => ({ apply: (draft) => (draft.source.value?.includes(text) ? draft : undefined) }),
})
