import { BridgeError, fenced } from '../core/errors.ts'
import type { Lease, LeaseStore } from './lease-store.ts'

/** Ownership is over: another owner, or too long without contact. Nothing is committed any more. */
export const isFenced = (thrown: unknown): boolean => thrown instanceof BridgeError && thrown.reason === 'Fenced'

/**
 * Writes a lease that this process owns. When the store refuses because the answer to an earlier write was lost, the
 * stored version is adopted, if it is ours (by default: owner and epoch are), and the write is tried once more.
 *
 * *Errors*: `Fenced` when it has another owner; whatever else the store says.
 */
export async function writeOwn(
  store: LeaseStore,
  lease: Lease,
  write: (lease: Lease) => Promise<Lease>,
  isOwn: (stored: Lease) => boolean = ({ owner, epoch }) => owner === lease.owner && epoch === lease.epoch,
): Promise<Lease> {
  try {
    return await write(lease)
  } catch (thrown) {
    if (!isFenced(thrown)) throw thrown
    const stored = (await store.list()).find(({ partition }) => partition === lease.partition)
    if (stored === undefined || !isOwn(stored)) throw fenced(lease.partition)
    return await write(stored)
  }
}

/** Undefined when somebody else was first. */
export async function ifFree<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write()
  } catch (thrown) {
    if (isFenced(thrown)) return undefined
    throw thrown
  }
}
