import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { createTopic, kafkaClient, withAdmin } from '../../support/kafka.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { type Reading, read } from './harness.ts'
import { committedOffsets } from './verify.ts'

/** Produces to every partition until told to stop; then it says how many records each has. */
async function producing(server: string, topic: string, partitions: number) {
  const producer = kafkaClient(server).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const messages = Array.from({ length: partitions * 20 }, (_, n) => ({ partition: n % partitions, value: String(n) }))
  const stopped = new AbortController()
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await producer.send({ topic, messages })
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const done = loop()
  return {
    stop: async (): Promise<readonly number[]> => {
      stopped.abort()
      await done
      await producer.disconnect()
      // Not what was sent: this client doubles what it sends again.
      const ends = await withAdmin(server, (admin) => admin.fetchTopicOffsets(topic))
      return ends.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
    },
  }
}

test('members come and go under load: nothing is lost, doubled or reordered, and positions never go back', async () => {
  const partitions = 6
  const server = await sharedKafka()
  const topic = uniqueName('rebalance')
  await createTopic(server, topic, { partitions })
  const load = await producing(server, topic, partitions)
  const log: { partition: string; position: number }[] = []
  const onRecord = ({ partition, position }: { partition: string; position: string | number }): void =>
    void log.push({ partition, position: Number(position) })
  const join = (): Promise<Reading> =>
    read(
      { bootstrapServers: [server], topics: [topic], consumerGroup: topic, sessionTimeout: '6s' },
      { work: 2, onRecord },
    )
  const watching = new AbortController()
  const regressions: string[] = []
  const watch = async (): Promise<void> => {
    const last = new Map<number, number>()
    while (!watching.signal.aborted) {
      const seen = await committedOffsets(server, topic, topic).catch(() => [])
      for (const [partition, offset] of seen) {
        if (offset < (last.get(partition) ?? 0)) regressions.push(`${partition}: ${last.get(partition)} → ${offset}`)
        last.set(partition, offset)
      }
    }
  }
  const watched = watch()
  const sizes = (...members: Reading[]): Promise<unknown> =>
    eventually(
      'partitions are shared',
      () => members.map(({ readers }) => readers.size),
      (counts) =>
        counts.reduce((sum, count) => sum + count, 0) === partitions && Math.max(...counts) - Math.min(...counts) <= 1,
    )
  const committing = (...members: Reading[]): Promise<unknown> => Promise.all(members.map((member) => member.commit()))

  await using one = await join()
  await sizes(one)
  const kept = one.readers.get(`${topic}/0`)
  await committing(one)
  await using two = await join()
  await sizes(one, two)
  await committing(one, two)
  await using three = await join()
  await sizes(one, two, three)
  const retained = [...one.readers.values()]
  await two.stop()
  await sizes(one, three)
  for (const reader of retained)
    assert.equal(one.readers.get(reader.partition), reader, 'a retained partition keeps its reader')
  await committing(one, three)
  await one.stop()
  await sizes(three)
  const sent = await load.stop()
  const total = sent.reduce((sum, count) => sum + count, 0)
  await eventually(
    'everything is read',
    () => new Set(log.map(({ partition, position }) => `${partition}:${position}`)).size,
    (count) => count >= total,
  )
  await three.stop()
  watching.abort()
  await watched

  assert.ok(kept !== undefined)
  for (const [partition, count] of sent.entries()) {
    const positions = log.filter((one) => one.partition === `${topic}/${partition}`).map(({ position }) => position)
    assert.deepEqual(
      positions,
      Array.from({ length: count }, (_, n) => n),
      `partition ${partition}`,
    )
  }
  assert.deepEqual(regressions, [])
  assert.deepEqual(
    [one, two, three].flatMap(({ errors }) => errors),
    [],
  )
})

test('a partition is drained before another member gets it', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('drain')
  await createTopic(server, topic, { partitions: 2 })
  const load = await producing(server, topic, 2)
  const config = { bootstrapServers: [server], topics: [topic], consumerGroup: topic, sessionTimeout: '6s' }
  await using slow = await read(config, { work: 1500 })
  await eventually('it reads', () => slow.records.length > 0)
  await using other = await read(config)
  await eventually('they share', () => slow.readers.size === 1 && other.readers.size === 1)
  const [moved] = other.readers.keys()
  await eventually('the other reads', () => other.records.length > 0)
  const last = Math.max(
    ...slow.records.flatMap(({ partition, position }) => (partition === moved ? [Number(position)] : [])),
  )
  assert.equal(other.records[0]?.position, last + 1)
  await load.stop()
  await Promise.all([slow.stop(), other.stop()])
})

test('a member that was thrown out loses its partitions, cannot commit, and joins again', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('zombie')
  await createTopic(server, topic, { partitions: 1 })
  const load = await producing(server, topic, 1)
  await using reading = await read({ bootstrapServers: [server], topics: [topic], consumerGroup: topic })
  await eventually('it reads', () => reading.records.length > 0)
  const old = reading.readers.get(`${topic}/0`)
  assert.ok(old?.settlement.kind === 'watermark')
  const admin = kafkaClient(server).admin()
  await admin.connect()
  const [group] = (await admin.describeGroups([topic])).groups
  const memberId = group?.members[0]?.memberId ?? ''
  await admin.disconnect()
  await kick(server, topic, memberId)
  const next = await eventually(
    'it has it again',
    () => reading.readers.get(`${topic}/0`),
    (reader) => reader !== undefined && reader !== old,
  )
  assert.ok((next?.epoch ?? 0) > old.epoch)
  await assert.rejects(old.settlement.commit({ position: 1_000_000, ended: false }), { reason: 'Fenced' })
  await load.stop()
  await reading.stop()
})

/** Takes a member out of its group, as the broker does after the session timeout. */
async function kick(server: string, group: string, memberId: string): Promise<void> {
  const { Cluster } = await import('../../../bridge-runtime/connectors/kafka/cluster/cluster.ts')
  const { leaveGroupV3 } = await import('@platformatic/kafka')
  await using cluster = new Cluster({ clientId: 'kick', bootstrapServers: [server], connection: {} })
  await cluster.send({ broker: await cluster.coordinator(group), lane: 'control' }, leaveGroupV3.api, group, [
    { memberId },
  ])
}
