import assert from 'node:assert/strict'
import test from 'node:test'
import { historyOn } from '../../test/support/leases/history.ts'
import { commit, leaseOf, polled, positions, removeLeases, start, world } from '../../test/support/leases/one-stream.ts'
import { BridgeError } from '../core/errors.ts'
import type { Lease, LeaseStore } from '../lease-stores/lease-store.ts'
import { isReserved } from './ownership/membership.ts'

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
  all.stream.now = { name: 'stream orders', birth: 'tuesday' }
  await all.clock.advance(5_000)
  assert.equal(running.readers.size, 0)
  assert.equal(running.connected(), false)
  assert.match(
    running.errors.at(-1)?.message ?? '',
    /another one now \(tuesday\).*\(monday\).*; last read: a at 50: .*onDataGap: Continue/,
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

test('a stream that is made later than the bridge is read from its first record; a name that is corrected, from startPosition', async (t) => {
  const all = world()
  all.stream.now = undefined
  const early = await start(t, all)
  assert.equal(early.errors.at(-1)?.reason, 'StreamNotFound')
  await early.stop()
  all.stream.now = { name: 'stream orders', birth: 'monday' }
  const later = await start(t, all)
  assert.equal(later.owned.get('a')?.start, 'Earliest')
  await commit(later, 'a', '5')
  await later.stop()
  const again = await start(t, all)
  assert.deepEqual([again.owned.get('a')?.checkpoint.position, again.errors], ['5', []])

  const wrong = world()
  wrong.stream.now = undefined
  await (await start(t, wrong)).stop()
  wrong.stream.now = { name: 'stream bills', birth: 'sunday' }
  const corrected = await start(t, wrong)
  assert.equal(corrected.owned.get('a')?.start, 'start of monday')
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
  all.stream.now = { name: 'stream orders', birth: 'tuesday' }
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
