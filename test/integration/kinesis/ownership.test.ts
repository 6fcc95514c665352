import test from 'node:test'
import { openKinesisSource } from '../../../bridge-runtime/connectors/kinesis/source.ts'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'
import type { LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import { eventually } from '../../support/eventually.ts'
import { createStream, kinesisClient } from '../../support/kinesis.ts'
import { sharedKinesis, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../../support/tally.ts'
import { testRun } from '../../support/verifier.ts'
import { checking } from '../../support/checking-sink.ts'
import { context, produce, running, sourceConfig } from './harness.ts'

/** A store that fails for a while, as for a process that has lost its network. */
function severable(store: LeaseStore): { readonly store: LeaseStore; cut(): void; heal(): void } {
  let severed = false
  const connected = (): LeaseStore => {
    if (severed) throw new BridgeError('no answer', { kind: 'retryable', reason: 'LeaseStoreUnavailable' })
    return store
  }
  return {
    store: {
      list: async () => connected().list(),
      create: async (partition) => connected().create(partition),
      acquire: async (lease, owner) => connected().acquire(lease, owner),
      renew: async (lease) => connected().renew(lease),
      checkpoint: async (lease, checkpoint) => connected().checkpoint(lease, checkpoint),
      release: async (lease) => connected().release(lease),
      remove: async (lease) => connected().remove(lease),
    },
    cut: () => {
      severed = true
    },
    heal: () => {
      severed = false
    },
  }
}

test('replicas share the shards, and one that lost the store is replaced with nothing lost or reordered', async (t) => {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  const client = kinesisClient(endpoint)
  t.after(() => client.destroy())
  await createStream(endpoint, stream, 8)
  const run = testRun({ run: stream, keys: 150 })
  const leases = memoryLeases()
  const silent = severable(leases)
  const replica = (name: string, store: LeaseStore) =>
    running(
      t,
      () => openKinesisSource(sourceConfig(endpoint, stream), context(name, store)),
      async () => checking(run),
    )
  const first = replica('replica-0', silent.store)
  await eventually(
    'one replica has all',
    () => first.engine.pumps.length,
    (count) => count === 8,
  )
  await produce(client, stream, run, 1_000)
  const second = replica('replica-1', leases)
  const third = replica('replica-2', leases)
  const shares = (): number[] => [first, second, third].map(({ engine }) => engine.pumps.length).sort((a, b) => a - b)
  await eventually('the shards are shared evenly', shares, (counts) => counts.join() === '2,3,3')
  await produce(client, stream, run, 1_000)
  const load = produce(client, stream, run, 3_000)
  silent.cut()
  await eventually(
    'the others have all',
    () => second.engine.pumps.length + third.engine.pumps.length,
    (n) => n === 8,
  )
  await load
  await eventually(
    'all read',
    () => run.received,
    (received) => received === run.sent,
  )
  silent.heal()
  await eventually(
    'it learns that its shards have other owners, and gets its share anew',
    shares,
    (counts) => counts.join() === '2,3,3',
  )
  await Promise.all([first, second, third].map((bridge) => bridge.stop()))
  t.diagnostic(tallyLine(run.tally()))
  // The silent one could commit nothing of the load it read, and may have had a batch of what came before.
  assertWhole(run.tally(), 4_000)
})
