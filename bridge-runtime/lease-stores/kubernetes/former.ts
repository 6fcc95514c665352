/** Leases of an older version: one object for each partition, named by a hash. They are read until their partition is taken, never written. */
import { z } from 'zod'
import type { Lease } from '../lease-store.ts'

const checkpointText = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.object({ position: z.union([z.string(), z.number()]).optional(), ended: z.boolean() }))

const formerObject = z.object({
  metadata: z.object({
    name: z.string(),
    resourceVersion: z.string(),
    annotations: z.object({
      'streambridge.dev/partition': z.string(),
      'streambridge.dev/checkpoint': z.string(),
      'streambridge.dev/renewals': z.coerce.number(),
    }),
  }),
  spec: z.object({ holderIdentity: z.string().optional(), leaseTransitions: z.int().default(0) }).default({
    leaseTransitions: 0,
  }),
})

const prefix = 'former/'

export const isFormer = ({ version }: Pick<Lease, 'version'>): boolean => version.startsWith(prefix)

/** Undefined for what is no Lease of an older version. */
export function formerLease(object: unknown): Lease | undefined {
  const parsed = formerObject.safeParse(object)
  if (!parsed.success) return undefined
  const { metadata, spec } = parsed.data
  const checkpoint = checkpointOf(metadata.annotations['streambridge.dev/checkpoint'])
  return {
    partition: metadata.annotations['streambridge.dev/partition'],
    owner: spec.holderIdentity === '' ? undefined : spec.holderIdentity,
    epoch: spec.leaseTransitions,
    renewals: metadata.annotations['streambridge.dev/renewals'],
    checkpoint: checkpoint ?? { position: undefined, ended: false },
    ...(checkpoint === undefined ? { unreadable: `the checkpoint of Lease ${metadata.name} is damaged` } : {}),
    version: `${prefix}${metadata.name}/${metadata.resourceVersion}`,
  }
}

function checkpointOf(text: string): Lease['checkpoint'] | undefined {
  try {
    const { position, ended } = checkpointText.parse(text)
    return { position, ended }
  } catch {
    return undefined
  }
}
