/** A sink that hands every record to a verifier. */
import { allDelivered, type Sink } from '../../bridge-runtime/core/contracts.ts'
import type { TestRun } from './verifier.ts'

/** Records go to the verifier in the order of arrival; `gate` is awaited before each write. */
export const checking = (run: TestRun, gate: () => Promise<unknown> = async () => undefined): Sink => ({
  limits: { maxRecords: 100, maxBytes: 1_000_000 },
  open: async () => undefined,
  write: async (batch) => {
    await gate()
    for (const { key, value } of batch.records()) run.arrived(key?.toString() ?? null, value)
    return allDelivered
  },
  async [Symbol.asyncDispose]() {
    // Holds nothing.
  },
})
