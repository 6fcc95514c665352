import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { BridgeRecord } from '../../core/contracts.ts'
import { defineStep } from '../define-step.ts'

export const sample = defineStep({
  name: 'sample',
  summary: 'Keeps a share of the keys.',
  schema: z.object({
    percent: z.number().min(0).max(100).meta({ description: 'How many of a hundred keys are kept.' }),
    seed: z.string().max(64).default('').meta({ description: 'Another text chooses other keys.' }),
  }),
  open({ percent, seed }) {
    return { apply: (draft) => (shareOf(draft.source, seed) < percent ? draft : undefined) }
  },
})

/** From 0 to 100, the same for a key in every run and every bridge. A record without a key is chosen by its position. */
function shareOf({ key, position }: BridgeRecord, seed: string): number {
  const hash = createHash('sha256').update(`${seed}\0`)
  const digest = hash.update(key ?? String(position)).digest()
  return (digest.readUInt32BE(0) / 2 ** 32) * 100
}
