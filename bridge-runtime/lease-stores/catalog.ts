/** Every store of leases, one line each. The bridge file says which one a bridge has. */
import { z } from 'zod'
import type { LeaseStore } from './lease-store.ts'
import type { LeaseStoreDefinition, StoreContext } from './define-store.ts'
import { file } from './file/index.ts'
import { kubernetes } from './kubernetes/index.ts'

export const stores: Readonly<Record<string, LeaseStoreDefinition>> = { kubernetes, file }

/** Which store, with its configuration: `{ file: { directory } }`. */
export const leaseStoreChoice = z
  .object(Object.fromEntries(Object.values(stores).map(({ name, schema }) => [name, schema.optional()])))
  .refine((choice) => Object.values(choice).filter((config) => config !== undefined).length === 1, {
    message: `set exactly one of: ${Object.keys(stores).join(', ')}`,
  })

export type LeaseStoreChoice = z.output<typeof leaseStoreChoice>

export function openLeaseStore(choice: LeaseStoreChoice, context: StoreContext): Promise<LeaseStore> {
  const [name, config] = Object.entries(choice).find(([, chosen]) => chosen !== undefined) ?? []
  const store = stores[name ?? '']
  if (store === undefined) throw new TypeError(`no lease store named ${name}`)
  return store.open(config, context)
}
