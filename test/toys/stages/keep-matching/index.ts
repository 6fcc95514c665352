/** A toy stage: keeps the records whose value has a text in it. */
import { z } from 'zod'
import { defineStage } from '../../../../bridge-runtime/stages/define-stage.ts'

export const keepMatching = defineStage({
  name: 'keepMatching',
  summary: 'Keeps records that contain a text',
  schema: z.object({ text: z.string().max(100).meta({ description: 'What to look for.' }) }),
  open: ({ text }) => ({
    name: 'keepMatching',
    apply: (records) => {
      const kept = [...records.keys()].filter((index) => records[index]?.value?.includes(text))
      return { records: kept.flatMap((index) => records[index] ?? []), parents: Uint32Array.from(kept) }
    },
  }),
})
