/** Leases in this process's memory, for tests: the reference for what every store does. */
import { fenced } from '../core/errors.ts'
import type { Lease, LeaseStore } from './lease-store.ts'

export function memoryLeases(): LeaseStore {
  const leases = new Map<string, Lease>()
  let version = 0
  const write = (based: Lease, change: Partial<Lease>): Lease => {
    if (leases.get(based.partition)?.version !== based.version) throw fenced(based.partition)
    version += 1
    const lease = { ...based, ...change, renewals: based.renewals + 1, version: String(version) }
    leases.set(lease.partition, lease)
    return lease
  }
  return {
    list: async () => [...leases.values()],
    create: async (partition) => {
      const stored = leases.get(partition)
      if (stored !== undefined) return stored
      version += 1
      const lease: Lease = { ...unowned(partition), version: String(version) }
      leases.set(partition, lease)
      return lease
    },
    acquire: async (lease, owner) => write(lease, { owner, epoch: lease.epoch + 1 }),
    renew: async (lease) => write(lease, {}),
    checkpoint: async (lease, checkpoint) => write(lease, { checkpoint }),
    release: async (lease) => write(lease, { owner: undefined }),
    remove: async (lease) => {
      write(lease, {})
      leases.delete(lease.partition)
    },
  }
}

/** A lease as it begins. */
export const unowned = (partition: string): Omit<Lease, 'version'> => ({
  partition,
  owner: undefined,
  epoch: 0,
  renewals: 0,
  checkpoint: { position: undefined, ended: false },
})
