/** For tests: what every LeaseStore must do. `open` gives another client of one and the same, empty store. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'
import type { Lease, LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'

export const isFencedError = (thrown: unknown): boolean => thrown instanceof BridgeError && thrown.reason === 'Fenced'

export type OpenStore = (t: TestContext) => Promise<() => LeaseStore>

export function leaseStoreSuite(kind: string, openStore: OpenStore): void {
  const stored = async (store: LeaseStore, partition: string): Promise<Lease | undefined> =>
    (await store.list()).find((lease) => lease.partition === partition)

  void test(`${kind}: a new lease is nobody's, and creating it again gives the stored one`, async (t) => {
    const open = await openStore(t)
    const [one, two] = [open(), open()]
    assert.deepEqual(await one.list(), [])
    const made = await one.create('orders/3')
    assert.deepEqual(
      { ...made, version: '' },
      {
        partition: 'orders/3',
        owner: undefined,
        epoch: 0,
        renewals: 0,
        checkpoint: { position: undefined, ended: false },
        version: '',
      },
    )
    const taken = await one.acquire(made, 'a')
    assert.deepEqual(await two.create('orders/3'), taken)
    assert.deepEqual(await two.list(), [taken])
  })

  void test(`${kind}: each write is based on the last, and an older one is fenced`, async (t) => {
    const open = await openStore(t)
    const [one, two] = [open(), open()]
    const free = await one.create('p')
    const first = await one.acquire(free, 'a')
    assert.equal(first.epoch, 1)
    const moved = await one.checkpoint(first, {
      position: '49590338271490256608559692538361571095921575989136588898',
      ended: false,
    })
    const second = await two.acquire(moved, 'b')
    assert.deepEqual([second.owner, second.epoch], ['b', 2])
    assert.equal(second.checkpoint.position, '49590338271490256608559692538361571095921575989136588898')
    assert.ok(second.renewals > moved.renewals)
    for (const late of [free, first, moved]) {
      await assert.rejects(one.checkpoint(late, { position: 'older', ended: false }), isFencedError)
      await assert.rejects(one.renew(late), isFencedError)
      await assert.rejects(one.acquire(late, 'a'), isFencedError)
      await assert.rejects(one.release(late), isFencedError)
      await assert.rejects(one.remove(late), isFencedError)
    }
    assert.deepEqual(await stored(one, 'p'), second)
    const renewed = await two.renew(second)
    assert.ok(renewed.renewals > second.renewals)
    const released = await two.release(renewed)
    assert.deepEqual(await stored(one, 'p'), released)
    assert.deepEqual([released.owner, released.epoch], [undefined, 2])
    assert.deepEqual(released.checkpoint, second.checkpoint)
  })

  void test(`${kind}: positions keep their type, their stream and the end`, async (t) => {
    const store = (await openStore(t))()
    const lease = await store.acquire(await store.create('p'), 'a')
    const first = await store.checkpoint(lease, { position: 41, ended: false })
    assert.deepEqual((await stored(store, 'p'))?.checkpoint, { position: 41, ended: false })
    const tagged = { position: '41', ended: true, stream: '1 topic orders id-1' }
    await store.checkpoint(first, tagged)
    assert.deepEqual((await stored(store, 'p'))?.checkpoint, tagged)
  })

  void test(`${kind}: a lease is taken with the checkpoint it is given, in one write`, async (t) => {
    const store = (await openStore(t))()
    const checkpoint = { position: '7', ended: false, stream: '2 topic orders id-1' }
    const taken = await store.acquire({ ...(await store.create('p')), checkpoint }, 'a')
    assert.deepEqual((await stored(store, 'p'))?.checkpoint, checkpoint)
    assert.equal(taken.owner, 'a')
  })

  void test(`${kind}: a removed lease can be created again, and its old owner stays out`, async (t) => {
    const open = await openStore(t)
    const [one, two] = [open(), open()]
    const old = await one.acquire(await one.create('p'), 'a')
    const other = await two.create('q')
    await two.remove(old)
    assert.deepEqual(await one.list(), [other])
    await assert.rejects(one.renew(old), isFencedError)
    const made = await two.create('p')
    await assert.rejects(one.checkpoint(old, { position: '1', ended: false }), isFencedError)
    assert.deepEqual([made.owner, made.checkpoint.position], [undefined, undefined])
  })

  void test(`${kind}: of many that reach for a lease at once one gets it`, async (t) => {
    const open = await openStore(t)
    const names = Array.from({ length: 6 }, (_, index) => `replica-${index}`)
    const results = await Promise.allSettled(
      names.map(async (name) => {
        const store = open()
        return await store.acquire(await store.create('p'), name)
      }),
    )
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    assert.ok(lost.every(isFencedError))
    const epochs = new Set(won.map(({ epoch }) => epoch))
    assert.equal(epochs.size, won.length)
    const last = await stored(open(), 'p')
    assert.ok(won.some(({ owner }) => owner === last?.owner))
  })
}
