/** A bridge that is started and stopped again and again: what it remembers outlives its runs, as its positions do. */
import assert from 'node:assert/strict'
import { offsetCommitV7 } from '@platformatic/kafka'
import { Cluster } from '../../../bridge-runtime/connectors/kafka/cluster/cluster.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import type { BridgeError } from '../../../bridge-runtime/core/errors.ts'
import type { LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'
import { eventually } from '../../support/eventually.ts'
import { historyOn } from '../../support/leases/history.ts'
import { createTopic, withAdmin } from '../../support/kafka.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { type Reading, read, testContext } from './harness.ts'
import { numbered, owned, received, values } from './set-up.ts'
import { produce } from './verify.ts'

export interface LifeOptions {
  readonly onDataGap?: 'Stop' | 'Continue'
  readonly reset?: string
  readonly clock?: Clock
  /** Beside the topics, the group and the servers. */
  readonly config?: object
  readonly store?: LeaseStore
}

export interface Life {
  readonly server: string
  /** Also the name of the group. */
  readonly topic: string
  readonly store: LeaseStore
  start(options?: LifeOptions): Promise<Reading>
}

/** The bridge reads `topic`, which is not made yet. */
export async function bridgeLife(name: string): Promise<Life> {
  const server = await sharedKafka()
  const topic = uniqueName(name)
  const leases = memoryLeases()
  return {
    server,
    topic,
    store: leases,
    start({ onDataGap = 'Stop', reset, clock, config = {}, store = leases } = {}) {
      const history = historyOn(store, { onDataGap, ...(reset === undefined ? {} : { reset }) })
      const context = testContext({ leases: store, history, onDataGap, ...(clock === undefined ? {} : { clock }) })
      const topics = 'topicsPattern' in config ? {} : { topics: [topic] }
      const whole = {
        bootstrapServers: [server],
        consumerGroup: topic,
        fetch: { maxWait: '100ms' },
        ...topics,
        ...config,
      }
      return read(whole, { context })
    },
  }
}

/** `count` values from `from` on, as text. */
export const numbers = (count: number, from = 0): string[] => numbered(count, from).map(({ value }) => value)

/** The DataGap that the reading tells of. */
export const gapOf = (reading: Reading): Promise<BridgeError> =>
  eventually('it tells of a gap', () => reading.errors.find(({ reason }) => reason === 'DataGap'))

/** Ends a run that has read and settled so many records, and nothing else. */
export async function readAndStop(reading: Reading, count: number): Promise<void> {
  await received(reading, count)
  await reading.stop()
}

/** Deletes a topic and makes it again, without a record. */
export async function recreateTopic(server: string, topic: string, partitions = 1): Promise<void> {
  await withAdmin(server, async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    await eventually('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
  })
  await createTopic(server, topic, { partitions })
}

/** What the broker does to a group that was empty for `offsets.retention.minutes`. */
export const expireOffsets = (server: string, group: string): Promise<unknown> =>
  eventually('the offsets are gone', async () => {
    await withAdmin(server, (admin) => admin.deleteGroups([group]))
    return true
  })

export interface Position {
  readonly group: string
  readonly topic: string
  /** Default 0. */
  readonly partition?: number
  readonly offset: number
  /** kafka-consumer-groups.sh --reset-offsets writes none. */
  readonly metadata?: string
}

/** Writes a position as no member: as a person's tool does, or a bridge that is gone. */
export async function setOffset(
  server: string,
  { group, topic: name, partition: partitionIndex = 0, offset, metadata = '' }: Position,
): Promise<void> {
  await using cluster = new Cluster({ clientId: 'by-hand', bootstrapServers: [server], connection: {} })
  const partitions = [
    { partitionIndex, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: metadata },
  ]
  await eventually('the group is empty', async () => {
    const to = { broker: await cluster.coordinator(group), lane: 'control' } as const
    return cluster.send(to, offsetCommitV7.api, group, -1, '', null, [{ name, partitions }])
  })
}

export const latest = { startPosition: { type: 'Latest' } }
export const send = (server: string, topic: string, count: number, from = 0): Promise<void> =>
  produce(server, topic, numbered(count, from))

/** The bridge has read and settled all `count` records of its topic, and is stopped. */
export async function hasRead(name: string, count: number, config: object = {}): Promise<Life> {
  const life = await bridgeLife(name)
  await createTopic(life.server, life.topic, { partitions: 1 })
  await using first = await life.start({ config })
  await owned(first, 1)
  await send(life.server, life.topic, count)
  await readAndStop(first, count)
  return life
}

/** Says that there is a gap, twice: nothing is read, whoever starts it again, and the records that come do not hide it. */
export async function halts(life: Life, message: RegExp, config: object = {}): Promise<void> {
  for (const round of [1, 2]) {
    await using reading = await life.start({ config })
    const gap = await gapOf(reading)
    assert.equal(gap.kind, 'fatal')
    assert.match(gap.message, message)
    await reading.stop()
    assert.deepEqual(values(reading), [], `start ${round}`)
    if (round === 1) await send(life.server, life.topic, 20, 1_000)
  }
}
