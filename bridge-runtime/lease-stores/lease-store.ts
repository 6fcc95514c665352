/**
 * Where partition ownership and checkpoints of sources without a broker-side consumer group live (Kinesis, Event Hubs,
 * the generator). Every write is conditional on what the writer last saw, so an old owner can never move a checkpoint.
 */
import type { Position } from '../core/contracts.ts'

export interface Checkpoint {
  /** The last settled position; undefined before the first. */
  readonly position: Position | undefined
  /** True when the partition is closed and all of it is settled: its children may start. */
  readonly ended: boolean
  /** Of which stream it is, and of which generation (see history/content.ts). Absent: an older version wrote it, or it was never opened. */
  readonly stream?: string
}

/** One partition's ownership record, as last read or written. */
export interface Lease {
  readonly partition: string
  /** The replica that owns it; undefined when nobody does. */
  readonly owner: string | undefined
  /** Grows by one at each change of owner: the ownership epoch. */
  readonly epoch: number
  /** Grows at every write, also at renewals: "unchanged for D on my clock" means expired. */
  readonly renewals: number
  readonly checkpoint: Checkpoint
  /** Why its content cannot be read, in words fit for an error; the checkpoint then says nothing. */
  readonly unreadable?: string
  /** The store's own condition for the next write (resourceVersion, etag, generation). */
  readonly version: string
}

/**
 * *Guarantees*: writes are linearizable per partition; each stores the lease as it is given, with the change, and fails with
 * `Fenced` (see core/errors.ts) when the stored version differs from the one it carries. A lease whose content cannot be read holds
 * up no other: it comes flagged, and is replaced only by a write. *Errors*: other failures are retryable BridgeErrors.
 */
export interface LeaseStore {
  list(): Promise<readonly Lease[]>
  /** Creates an unowned lease; resolves with the stored one when it exists already. */
  create(partition: string): Promise<Lease>
  /** Takes the lease (from nobody, from an expired owner, or from one that agreed): epoch + 1. */
  acquire(lease: Lease, owner: string): Promise<Lease>
  /** Proves that the owner lives. */
  renew(lease: Lease): Promise<Lease>
  /** Moves the checkpoint forward and renews. */
  checkpoint(lease: Lease, checkpoint: Checkpoint): Promise<Lease>
  /** Gives the lease away; the checkpoint stays. */
  release(lease: Lease): Promise<Lease>
  /** Forgets a finished partition. */
  remove(lease: Lease): Promise<void>
}
