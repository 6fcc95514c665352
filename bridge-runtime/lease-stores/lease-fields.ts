/** What every store writes of a lease, beside its own condition for the next write. */
import { z } from 'zod'
import type { Lease } from './lease-store.ts'

export const leaseFields = z.object({
  partition: z.string(),
  owner: z.string().optional(),
  epoch: z.int(),
  renewals: z.int(),
  position: z.union([z.string(), z.number()]).optional(),
  ended: z.boolean(),
  stream: z.string().optional(),
})
export type LeaseFields = z.output<typeof leaseFields>

export const fieldsOf = ({ partition, owner, epoch, renewals, checkpoint }: Omit<Lease, 'version'>): LeaseFields => ({
  partition,
  ...(owner === undefined ? {} : { owner }),
  epoch,
  renewals,
  ...(checkpoint.position === undefined ? {} : { position: checkpoint.position }),
  ended: checkpoint.ended,
  ...(checkpoint.stream === undefined ? {} : { stream: checkpoint.stream }),
})

export const leaseWith = (
  { partition, owner, epoch, renewals, position, ended, stream }: LeaseFields,
  version: string,
): Lease => ({
  partition,
  owner,
  epoch,
  renewals,
  checkpoint: { position, ended, ...(stream === undefined ? {} : { stream }) },
  version,
})
