import type { z } from 'zod'
import type { LeaseStore } from './lease-store.ts'

/** Whose leases they are. */
export interface StoreContext {
  readonly namespace: string
  readonly bridge: string
  /** UID of the StreamBridge. */
  readonly uid: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export interface LeaseStoreDefinition<Schema extends z.ZodType = z.ZodType> {
  /** The key in the bridge file: `leases.<name>`. */
  readonly name: string
  readonly schema: Schema
  /** Loads what it needs only where records move. */
  open(config: z.output<Schema>, context: StoreContext): Promise<LeaseStore>
}

/** Checks a store's definition against its own schema at compile time. */
export const defineStore = <S extends z.ZodType>(definition: LeaseStoreDefinition<S>): LeaseStoreDefinition<S> =>
  definition
