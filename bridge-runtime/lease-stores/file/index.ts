import { z } from 'zod'
import { defineStore } from '../define-store.ts'

/** Files of one machine, in a directory of the bridge's own. */
export const file = defineStore({
  name: 'file',
  schema: z.object({ directory: z.string().min(1) }),
  open: async ({ directory }) => (await import('./file.ts')).fileLeases(directory),
})
