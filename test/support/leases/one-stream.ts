/** For tests: one stream, one store and replicas of a bridge that reads it, started and stopped at will. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { PartitionReader, SourceHost } from '../../../bridge-runtime/core/contracts.ts'
import { asBridgeError, BridgeError } from '../../../bridge-runtime/core/errors.ts'
import type { FoundStream } from '../../../bridge-runtime/history/content.ts'
import { coordinate } from '../../../bridge-runtime/leases/coordinate.ts'
import type { Lease, LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'
import type { ListedPartition } from '../../../bridge-runtime/leases/lineage.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import type { Ownership, PartitionedSource } from '../../../bridge-runtime/leases/partitioned-source.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { fakeClock } from '../fake-clock.ts'
import { historyOn } from './history.ts'
import { historyLease } from '../../../bridge-runtime/lease-stores/history-lease.ts'

const forever = new AbortController().signal

/** A stream whose listing and birth the test changes, and the bridge that reads it. */
export function world() {
  const clock = fakeClock()
  const store = memoryLeases()
  const stream: { now: FoundStream | undefined } = { now: { name: 'stream orders', birth: 'monday' } }
  const listing: ListedPartition[] = [{ partition: 'a', parents: [] }]
  const begins: string[] = []
  return { clock, store, stream, listing, begins }
}
type World = ReturnType<typeof world>

interface Replica {
  /** What the source was asked to open and still holds, by partition. */
  readonly owned: ReadonlyMap<string, Ownership>
  /** What the host holds. */
  readonly readers: ReadonlyMap<string, PartitionReader>
  readonly errors: readonly BridgeError[]
  readonly connected: () => boolean
  /** Reads to the end: what the engine does when all is settled. */
  finish(partition: string): Promise<void>
  stop(): Promise<void>
}

/** Starts a replica and lets it look a few times. */
export async function start(
  t: TestContext,
  { clock, store, stream, listing, begins }: World,
  {
    onDataGap = 'Stop',
    replica = 'replica-0',
    reset,
  }: {
    readonly onDataGap?: 'Stop' | 'Continue'
    readonly replica?: string
    readonly reset?: string
  } = {},
): Promise<Replica> {
  const owned = new Map<string, Ownership>()
  const readers = new Map<string, PartitionReader>()
  const errors: BridgeError[] = []
  let connected = false
  const stopped = new AbortController()
  const host: SourceHost = {
    assigned: (reader) => void readers.set(reader.partition, reader),
    revoked: async (reader) => {
      readers.delete(reader.partition)
      owned.delete(reader.partition)
    },
    connection: (error) => {
      connected = error === undefined
      if (error !== undefined) errors.push(error)
    },
    waiting: () => undefined,
    partitions: () => undefined,
    repeated: () => undefined,
  }
  const source: PartitionedSource = {
    finite: false,
    name: stream.now?.name ?? 'stream orders',
    isMissing: ({ reason }) => reason === 'StreamNotFound',
    identify: async () =>
      stream.now ?? Promise.reject(new BridgeError('not there', { kind: 'fatal', reason: 'StreamNotFound' })),
    begin: async () => {
      begins.push(replica)
      return 'start of monday'
    },
    discover: async () => [...listing],
    open: (ownership) => {
      owned.set(ownership.partition, ownership)
      return {
        partition: ownership.partition,
        stream: undefined,
        epoch: ownership.epoch,
        settlement: { kind: 'watermark', commit: (progress) => ownership.commit(progress) },
        poll: async () => undefined,
        lag: () => ({ kind: 'known', records: 0 }),
      }
    },
  }
  const options = {
    store,
    history: historyOn(store, { onDataGap, ...(reset === undefined ? {} : { reset }) }),
    replica,
    leaseDuration: 3_000,
    discoverInterval: 2_000,
    clock,
    random: Math.random,
    log: silentLogger,
  }
  /** As the engine: a run that fails is repeated. */
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await coordinate(source, options, host, stopped.signal).catch(asBridgeError)
      await clock.sleep(200, stopped.signal)
    }
  }
  const running = run()
  const stop = async (): Promise<void> => {
    stopped.abort()
    await running
  }
  t.after(stop)
  await clock.advance(5_000)
  return {
    owned,
    readers,
    errors,
    connected: () => connected,
    finish: async (partition) => {
      const { settlement } = readers.get(partition) ?? assert.fail(`${partition} is not held`)
      if (settlement.kind === 'watermark') await settlement.commit({ position: '99', ended: true })
      await clock.advance(5_000)
    },
    stop,
  }
}

export const commit = async ({ readers }: Replica, partition: string, position: string): Promise<void> => {
  const { settlement } = readers.get(partition) ?? assert.fail(`${partition} is not held`)
  if (settlement.kind === 'watermark') await settlement.commit({ position, ended: false })
}

export const polled = async ({ readers }: Replica, partition: string): Promise<string | undefined> => {
  const reader = readers.get(partition) ?? assert.fail(`${partition} is not held`)
  return reader.poll(forever).then(
    () => undefined,
    (thrown: unknown) => `${asBridgeError(thrown).reason}: ${asBridgeError(thrown).message}`,
  )
}

export const leaseOf = async (store: LeaseStore, partition: string): Promise<Lease | undefined> =>
  (await store.list()).find((lease) => lease.partition === partition)

export const removeLeases = async (store: LeaseStore, which: (lease: Lease) => boolean): Promise<void> => {
  for (const lease of await store.list()) if (which(lease)) await store.remove(lease)
}
export const positions = ({ partition }: Lease): boolean => partition !== historyLease
