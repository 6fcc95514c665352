import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { createTopic, kafkaClient, type KafkaServer, startKafka } from '../../support/kafka.ts'
import { flipBit, storedBatches } from '../../support/kafka-segment.ts'
import { type Reading, read, type Received, testContext } from './harness.ts'
import { setOffset } from './life.ts'

const perBatch = 10
const batches = 40
const records = batches * perBatch
/** Not the first of the file, and not at an entry of its index. */
const chosen = 20
const first = chosen * perBatch

let server: KafkaServer
before(async () => void (server = await startKafka()))
after(() => server.stop())

const valueOf = (n: number): string => `${n} ${'x'.repeat(60)}`

/** A topic whose partitions have the same records in batches of the same size. */
async function filled(topic: string, partitions: number): Promise<void> {
  await createTopic(server.bootstrapServers, topic, { partitions })
  const producer = kafkaClient(server.bootstrapServers).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (let batch = 0; batch < batches; batch += 1) {
    const messages = Array.from({ length: partitions }, (_, partition) =>
      Array.from({ length: perBatch }, (_, n) => ({ partition, value: valueOf(batch * perBatch + n) })),
    ).flat()
    await producer.send({ topic, messages })
  }
  await producer.disconnect()
}

const reading = (topic: string, onDataGap: 'Stop' | 'Continue' = 'Stop'): Promise<Reading> =>
  read(
    { bootstrapServers: [server.bootstrapServers], topics: [topic], consumerGroup: topic, fetch: { maxWait: '100ms' } },
    { context: testContext({ onDataGap }) },
  )

const allRead = (run: Reading, partitions: number): Promise<boolean> =>
  eventually('the last record of every partition is read', () => {
    const ended = run.records.filter(({ position }) => position === records - 1)
    return new Set(ended.map(({ partition }) => partition)).size === partitions
  })

function readableOf(all: readonly Received[]): number[] {
  const readable = all.filter(({ poison }) => poison === undefined)
  for (const { position, value } of readable) assert.equal(String(value), valueOf(Number(position)))
  return readable.map(({ position }) => Number(position))
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
const intact = [...range(0, first), ...range(first + perBatch, records)]

/** What is not under the checksum of a batch, but for the epoch of the leader, on which nothing depends. */
const fields = [
  { name: 'base offset', bits: range(0, 64) },
  { name: 'length', bits: range(64, 96) },
  { name: 'format', bits: range(128, 136) },
]

for (const { name, bits } of fields) {
  test(`whichever bit of a batch's ${name} flips on the broker's disk, each record of the others is read once and in order`, async () => {
    const topic = `flipped-${bits[0]}`
    await filled(topic, bits.length)
    const damaged = bits.map((bit, partition) => {
      const batch = storedBatches(server, topic, partition)[chosen]
      assert.ok(batch)
      return flipBit(batch, bit)
    })
    await using run = await reading(topic)
    await allRead(run, bits.length)
    for (const [partition, bit] of bits.entries()) {
      const all = run.records.filter((one) => one.partition === `${topic}/${partition}`)
      assert.deepEqual(readableOf(all), intact, `bit ${bit}`)
      const poison = all.filter((record) => record.poison !== undefined)
      assert.deepEqual(
        poison.map(({ position }) => position),
        [first],
        `bit ${bit}`,
      )
      assert.ok(poison[0]?.value?.equals(damaged[partition] ?? Buffer.alloc(0)), `bit ${bit}: its bytes`)
    }
  })

  test(`a bridge that begins in front of a batch with a damaged ${name}, in it, or behind it loses no record of the others`, async () => {
    for (const start of [first, first + 5, first + perBatch, first + perBatch + 5]) {
      const topic = `begun-${bits[0]}-${start}`
      // A base offset that moved back is left out by the broker, as compaction leaves batches out.
      const seen = name === 'base offset' ? bits.filter((bit) => bit !== 7) : bits
      await filled(topic, seen.length)
      for (const [partition, bit] of seen.entries()) {
        const batch = storedBatches(server, topic, partition)[chosen]
        assert.ok(batch)
        flipBit(batch, bit)
        await setOffset(server.bootstrapServers, { group: topic, topic, partition, offset: start })
      }
      await using run = await reading(topic)
      await allRead(run, seen.length)
      const wanted = range(Math.max(start, first + perBatch), records)
      for (const [partition, bit] of seen.entries()) {
        const all = run.records.filter((one) => one.partition === `${topic}/${partition}`)
        assert.deepEqual(readableOf(all), wanted, `bit ${bit}, from ${start}`)
        const poison = all.filter((record) => record.poison !== undefined).length
        assert.ok(
          poison === 0 || (poison === 1 && start < first + perBatch),
          `bit ${bit}, from ${start}: ${poison} are poison`,
        )
      }
    }
  })
}

for (const onDataGap of ['Stop', 'Continue'] as const) {
  test(`where the broker refuses to read the first batch of its log, the gap is told with both ends, and onDataGap ${onDataGap} is obeyed`, async () => {
    const topic = `refused-${onDataGap}`
    await filled(topic, 1)
    const [batch] = storedBatches(server, topic, 0)
    assert.ok(batch)
    const signOfLength = 71
    flipBit(batch, signOfLength)
    await using run = await reading(topic, onDataGap)
    if (onDataGap === 'Continue') {
      await allRead(run, 1)
      const positions = readableOf(run.records)
      assert.deepEqual(positions, range(positions[0] ?? 0, records))
      // Index entries are 4 KiB apart.
      assert.ok((positions[0] ?? 0) <= 7 * perBatch, `${positions[0]}`)
    } else {
      const gap = await eventually('it is told', () => run.errors.find(({ reason }) => reason === 'DataGap'))
      const where = `^topic "${topic}" partition 0: the records from offset 0 to [1-6]?9 cannot be read`
      assert.match(gap?.message ?? '', new RegExp(`${where}.*onDataGap: Continue to go on at offset [1-7]0`))
      assert.deepEqual(run.records, [])
    }
    const before = run.errors.find(({ reason }) => reason === 'CorruptBatch')
    assert.match(
      before?.message ?? '',
      new RegExp(`"${topic}" partition 0 offset 0: the broker cannot read its own log`),
    )
  })
}
