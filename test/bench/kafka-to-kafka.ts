/** One broker, one topic of waiting records, two copies of it. */
import { createTopic, kafkaVersion, startKafka } from '../support/kafka.ts'
import { runCommand } from '../support/run-command.ts'
import { measureCopy } from './copy.ts'
import { countTopics, type TopicCounter } from './end-offsets.ts'
import { measureLatency } from './latency.ts'
import { load } from './loading.ts'
import { mirrorMaker, mirrorMakerClasspath } from './mirror-maker.ts'
import { type Comparison, type Contender, type Figures, type Pair, type Settings, sinkTopic } from './pair.ts'
import { streamBridge } from './stream-bridge.ts'

interface Bench {
  readonly bootstrapServers: string
  readonly counter: TopicCounter
  readonly settings: Settings
  readonly say: (text: string) => void
}

const copySource = 'copy'
const arrivalTime = { 'message.timestamp.type': 'LogAppendTime' }

export const kafkaToKafka: Pair = {
  name: 'kafka-to-kafka',
  summary: `compared with MirrorMaker 2 (${kafkaVersion})`,
  async versions() {
    const java = await runCommand('java', ['--version'])
    return [`Kafka and MirrorMaker ${kafkaVersion}`, `Java ${/[0-9][0-9.]*/.exec(java)?.[0] ?? 'unknown'}`]
  },
  run: compare,
}

async function compare(settings: Settings, say: (text: string) => void): Promise<Comparison> {
  await mirrorMakerClasspath()
  say('starting a broker')
  await using kafka = await startKafka({ heap: 1024 })
  const { bootstrapServers } = kafka
  await using counter = await countTopics(bootstrapServers)
  const bench: Bench = { bootstrapServers, counter, settings, say }
  await fill(bench)
  // Ours goes first: the broker is the colder one for it.
  return {
    ours: await measure(bench, await streamBridge()),
    peer: await measure(bench, mirrorMaker(settings.partitions)),
  }
}

async function fill({ bootstrapServers, counter, settings, say }: Bench): Promise<void> {
  const { records, valueBytes, partitions } = settings
  await createTopic(bootstrapServers, copySource, { partitions })
  say(`producing ${records} records`)
  await load({ bootstrapServers, topic: copySource, records, valueBytes })
  const held = await counter.count(copySource)
  if (held !== records) throw new Error(`the source topic holds ${held} records instead of ${records}`)
}

async function measure(bench: Bench, contender: Contender): Promise<Figures> {
  const { bootstrapServers, counter, settings, say } = bench
  const { partitions, records } = settings
  await createTopic(bootstrapServers, sinkTopic(contender, copySource), { partitions })
  const route = { bootstrapServers, source: copySource }
  const copied = await measureCopy({ contender, route, counter, records, say })
  const source = `latency-${contender.alias}`
  await createTopic(bootstrapServers, source, { partitions })
  await createTopic(bootstrapServers, sinkTopic(contender, source), { partitions, config: arrivalTime })
  const steady = await measureLatency({ contender, route: { bootstrapServers, source }, counter, settings, say })
  return {
    contender: contender.name,
    copy: copied.copy,
    latency: steady.latency,
    peakBytes: Math.max(copied.peakBytes, steady.peakBytes),
  }
}
