import type { Ownership } from '../../../bridge-runtime/leases/partitioned-source.ts'

/** A partition that is owned without a coordinator. */
export const ownershipOf = (partition: string, more: Partial<Ownership> = {}): Ownership => ({
  partition,
  epoch: 1,
  checkpoint: { position: undefined, ended: false },
  start: 'Earliest',
  stream: { name: 'a test', birth: undefined },
  lookAgain: () => undefined,
  commit: async () => undefined,
  ...more,
})
