import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { historyOn } from '../../test/support/leases/history.ts'
import type { PartitionReader, SourceHost } from '../core/contracts.ts'
import { asBridgeError, BridgeError } from '../core/errors.ts'
import type { FoundStream } from '../history/content.ts'
import { historyLease } from '../history/history.ts'
import { silentLogger } from '../observability/logger.ts'
import { coordinate } from './coordinate.ts'
import type { Lease, LeaseStore } from './lease-store.ts'
import type { ListedPartition } from './lineage.ts'
import { isReserved } from './membership.ts'
import { memoryLeases } from './memory.ts'
import type { Ownership, PartitionedSource } from './partitioned-source.ts'

const forever = new AbortController().signal

/** A stream whose listing and birth the test changes, and the bridge that reads it. */
function world() {
  const clock = fakeClock()
  const store = memoryLeases()
  const stream = { now: { name: 'stream orders', birth: 'monday' } as FoundStream }
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
async function start(
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
    partitions: () => undefined,
    repeated: () => undefined,
  }
  const source: PartitionedSource = {
    finite: false,
    identify: async () => stream.now,
    begin: async () => {
      begins.push(replica)
      return 'start of monday'
    },
    discover: async () => [...listing],
    open: (ownership) => {
      owned.set(ownership.partition, ownership)
      return {
        partition: ownership.partition,
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

const commit = async ({ readers }: Replica, partition: string, position: string): Promise<void> => {
  const { settlement } = readers.get(partition) ?? assert.fail(`${partition} is not held`)
  if (settlement.kind === 'watermark') await settlement.commit({ position, ended: false })
}

const polled = async ({ readers }: Replica, partition: string): Promise<string | undefined> => {
  const reader = readers.get(partition) ?? assert.fail(`${partition} is not held`)
  return reader.poll(forever).then(
    () => undefined,
    (thrown: unknown) => `${asBridgeError(thrown).reason}: ${asBridgeError(thrown).message}`,
  )
}

const leaseOf = async (store: LeaseStore, partition: string): Promise<Lease | undefined> =>
  (await store.list()).find((lease) => lease.partition === partition)

const removeLeases = async (store: LeaseStore, which: (lease: Lease) => boolean): Promise<void> => {
  for (const lease of await store.list()) if (which(lease)) await store.remove(lease)
}
const positions = ({ partition }: Lease): boolean => partition !== historyLease

test('a position that is gone is a gap, which stays through restarts until a person decides', async (t) => {
  const all = world()
  const first = await start(t, all)
  assert.equal(first.owned.get('a')?.start, 'start of monday')
  await commit(first, 'a', '50')
  await first.stop()
  await removeLeases(all.store, positions)
  for (const attempt of [1, 2]) {
    const halted = await start(t, all)
    assert.match(
      (await polled(halted, 'a')) ?? '',
      /^DataGap: partition a of stream orders: it was read before/,
      `${attempt}`,
    )
    await halted.stop()
  }
  const going = await start(t, all, { onDataGap: 'Continue' })
  assert.deepEqual([going.owned.get('a')?.start, going.owned.get('a')?.checkpoint.position], ['Earliest', undefined])
  await commit(going, 'a', '7')
  await going.stop()
  const later = await start(t, all)
  assert.equal(later.owned.get('a')?.checkpoint.position, '7')
  assert.equal(await polled(later, 'a'), undefined)
  assert.deepEqual(all.begins, ['replica-0'], 'it began once')
})

test('leases that are deleted under a running bridge are a gap, one or all of them, though the history went too', async (t) => {
  for (const which of [({ partition }: Lease) => partition === 'a', positions, () => true]) {
    const all = world()
    const replica = await start(t, all)
    await commit(replica, 'a', '50')
    await removeLeases(all.store, which)
    await all.clock.advance(8_000)
    await replica.stop()
    const next = await start(t, all)
    assert.match((await polled(next, 'a')) ?? '', /^DataGap/)
    await next.stop()
  }
})

test('a partition that appears later is read from where it begins, and one that was never read is no gap', async (t) => {
  const all = world()
  const first = await start(t, all)
  await first.stop()
  all.listing.push({ partition: 'b', parents: [] })
  await removeLeases(all.store, ({ partition }) => partition === 'b')
  const second = await start(t, all)
  assert.deepEqual([...second.readers.keys()].sort(), ['a', 'b'])
  assert.equal(await polled(second, 'b'), undefined)
})

test('nothing is read of a stream that was made again, running or stopped, until a person decides', async (t) => {
  const all = world()
  const running = await start(t, all)
  await commit(running, 'a', '50')
  all.stream.now = { ...all.stream.now, birth: 'tuesday' }
  await all.clock.advance(5_000)
  assert.equal(running.readers.size, 0)
  assert.equal(running.connected(), false)
  assert.match(
    running.errors.at(-1)?.message ?? '',
    /made again \(tuesday\).*\(monday\); last read: a at 50\. .*onDataGap: Continue/,
  )
  await running.stop()
  const restarted = await start(t, all)
  assert.deepEqual([restarted.readers.size, restarted.errors.at(-1)?.reason], [0, 'DataGap'])
  await restarted.stop()
  const going = await start(t, all, { onDataGap: 'Continue' })
  assert.deepEqual([going.owned.get('a')?.start, going.owned.get('a')?.checkpoint.position], ['Earliest', undefined])
  await commit(going, 'a', '3')
  await going.stop()
  const after = await start(t, all)
  assert.equal(after.owned.get('a')?.checkpoint.position, '3')
})

test('a source that is edited to another stream follows the same rule, unless nothing was read of the first', async (t) => {
  const all = world()
  const first = await start(t, all)
  await first.stop()
  all.stream.now = { name: 'stream bills', birth: 'sunday' }
  const edited = await start(t, all)
  assert.match(
    edited.errors.at(-1)?.message ?? '',
    /the positions are of stream orders, and the source is stream bills now/,
  )
  const unread = { ...world(), listing: [] }
  await (await start(t, unread)).stop()
  unread.stream.now = { name: 'stream bills', birth: 'sunday' }
  const corrected = await start(t, unread)
  assert.equal(corrected.connected(), true)
})

test('a reset begins at startPosition, whatever positions and gaps there are', async (t) => {
  const all = world()
  const first = await start(t, all)
  await commit(first, 'a', '50')
  await first.stop()
  const anew = await start(t, all, { reset: 'monday' })
  assert.deepEqual(
    [anew.owned.get('a')?.start, anew.owned.get('a')?.checkpoint.position],
    ['start of monday', undefined],
  )
  assert.equal(all.begins.length, 2)
})

test('in a new generation children wait for their parents again', async (t) => {
  const all = world()
  all.listing.push({ partition: 'a1', parents: ['a'] }, { partition: 'a2', parents: ['a'] })
  const first = await start(t, all)
  await first.finish('a')
  assert.deepEqual([...first.readers.keys()].sort(), ['a1', 'a2'])
  await first.stop()
  const anew = await start(t, all, { reset: 'monday' })
  assert.deepEqual([...anew.readers.keys()], ['a'])
  await anew.finish('a')
  assert.deepEqual([...anew.readers.keys()].sort(), ['a1', 'a2'])
})

test('a lease of a partition that is not listed is not opened but told, and passed over when a person says so', async (t) => {
  const all = world()
  const first = await start(t, all)
  await commit(first, 'a', '50')
  await first.stop()
  all.listing.splice(0, 1, { partition: 'a1', parents: ['a'] })
  const second = await start(t, all)
  await all.clock.advance(8_000)
  assert.deepEqual([...second.owned.keys()], [])
  assert.match((await polled(second, 'a')) ?? '', /^DataGap: .*lists no such partition any more \(last read: 50\)/)
  await second.stop()
  const third = await start(t, all, { onDataGap: 'Continue' })
  await all.clock.advance(12_000)
  assert.deepEqual([...third.owned.keys()], ['a1'])
  assert.equal(await leaseOf(all.store, 'a'), undefined)
  await third.stop()
  const content = await historyOn(all.store).recall()
  assert.deepEqual([content?.gaps, content?.streams['stream orders']?.begun], [{}, ['a1']])
})

test('leases of a stream before are removed when the new one has fewer partitions', async (t) => {
  const all = world()
  all.listing.push({ partition: 'b', parents: [] })
  const first = await start(t, all)
  await commit(first, 'b', '50')
  await first.stop()
  all.listing.pop()
  all.stream.now = { ...all.stream.now, birth: 'tuesday' }
  const going = await start(t, all, { onDataGap: 'Continue' })
  await all.clock.advance(8_000)
  assert.deepEqual([...going.readers.keys()], ['a'])
  assert.equal(await leaseOf(all.store, 'b'), undefined)
  assert.deepEqual((await historyOn(all.store).recall())?.gaps, {})
})

test('a lease that cannot be read is a gap of its partition alone, and is not silently replaced', async (t) => {
  const all = world()
  all.listing.push({ partition: 'b', parents: [] })
  const first = await start(t, all)
  await commit(first, 'a', '50')
  await commit(first, 'b', '60')
  await first.stop()
  const damaged = { ...all.store }
  let broken = true
  damaged.list = async () =>
    (await all.store.list()).map((lease) =>
      broken && lease.partition === 'a'
        ? { ...lease, checkpoint: { position: undefined, ended: false }, unreadable: 'no JSON' }
        : lease,
    )
  const second = await start(t, { ...all, store: damaged })
  assert.equal(second.owned.get('b')?.checkpoint.position, '60')
  assert.match((await polled(second, 'a')) ?? '', /^DataGap: .*cannot be read: no JSON/)
  await second.stop()
  broken = false
  const third = await start(t, all)
  assert.match((await polled(third, 'a')) ?? '', /^DataGap/, 'also once it was overwritten')
})

test('positions and the start that an older version left are taken over, once', async (t) => {
  const all = world()
  all.listing.push({ partition: 'b', parents: [] })
  const { store } = all
  await store.checkpoint(await store.create('a'), { position: '50', ended: false })
  await store.checkpoint(await store.create('~start'), { position: 'start of sunday', ended: false })
  const first = await start(t, all)
  assert.equal(first.owned.get('a')?.checkpoint.position, '50')
  assert.equal(first.owned.get('b')?.start, 'start of sunday')
  assert.deepEqual(first.errors, [])
  await first.stop()
  const anew = await start(t, all, { reset: 'monday' })
  assert.deepEqual(
    [anew.owned.get('a')?.start, anew.owned.get('a')?.checkpoint.position],
    ['start of monday', undefined],
  )
})

test('of two processes with one name the newer reads and the other says so, until it is gone', async (t) => {
  const all = world()
  const acquired: string[] = []
  const store: LeaseStore = {
    ...all.store,
    acquire: (lease, owner) => {
      if (!isReserved(lease.partition)) acquired.push(lease.partition)
      return all.store.acquire(lease, owner)
    },
  }
  const first = await start(t, { ...all, store })
  assert.equal(first.readers.size, 1)
  const second = await start(t, { ...all, store })
  await all.clock.advance(60_000)
  assert.deepEqual([first.readers.size, second.readers.size], [0, 1])
  assert.equal(first.errors.at(-1)?.reason, 'ReplicaNameTaken')
  assert.ok(acquired.length <= 4, `the partition changed hands ${acquired.length} times`)
  await second.stop()
  await all.clock.advance(8_000)
  assert.deepEqual([first.readers.size, first.connected()], [1, true])
})

test('a store that cannot be read is told while nothing is read, and what is held goes on', async (t) => {
  const all = world()
  let away = true
  const store: LeaseStore = {
    ...all.store,
    list: () =>
      away
        ? Promise.reject(new BridgeError('away', { kind: 'retryable', reason: 'LeaseStoreUnavailable' }))
        : all.store.list(),
  }
  const replica = await start(t, { ...all, store })
  assert.deepEqual([replica.connected(), replica.errors.at(-1)?.reason], [false, 'LeaseStoreUnavailable'])
  away = false
  await all.clock.advance(5_000)
  assert.deepEqual([replica.connected(), replica.readers.size], [true, 1])
  away = true
  await all.clock.advance(20_000)
  assert.deepEqual([replica.connected(), replica.readers.size], [true, 1])
})
