/** A small engine for one source: polls every reader, keeps what it got in order, commits when told to or at a drain. */
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import type {
  BridgeRecord,
  Lag,
  PartitionReader,
  Sink,
  Source,
  SourceHost,
  WriteResult,
} from '../../../bridge-runtime/core/contracts.ts'
import { asBridgeError, type BridgeError } from '../../../bridge-runtime/core/errors.ts'
import type { ConnectorContext } from '../../../bridge-runtime/connectors/define-connector.ts'
import {
  kafkaSink,
  kafkaSource,
  type KafkaSinkConfig,
  type KafkaSourceConfig,
} from '../../../bridge-runtime/connectors/kafka/schema.ts'
import { openKafkaSink } from '../../../bridge-runtime/connectors/kafka/sink.ts'
import { openKafkaSource } from '../../../bridge-runtime/connectors/kafka/source.ts'
import { eventually } from '../../support/eventually.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import { historyOn } from '../../support/leases/history.ts'
import { sinkBatch } from '../../support/sink-batch.ts'

export interface Received extends BridgeRecord {
  readonly partition: string
  readonly epoch: number
}

export const sourceConfig = (config: unknown): KafkaSourceConfig => kafkaSource.parse(config)
export const sinkConfig = (config: unknown): KafkaSinkConfig => kafkaSink.parse(config)

/** `secrets`: values by `name/key`. */
export function testContext(
  overrides: Partial<ConnectorContext> = {},
  secrets: Readonly<Record<string, string>> = {},
): ConnectorContext {
  const { leases = memoryLeases(), onDataGap = 'Stop' } = overrides
  return {
    bridge: { namespace: 'test', name: 'bridge' },
    replica: 'one',
    secret: ({ name, key }) => Promise.resolve(Buffer.from(secrets[`${name}/${key}`] ?? '')),
    leases,
    history: historyOn(leases, { onDataGap }),
    clock: realClock,
    log: silentLogger,
    field: 'spec.source.kafka',
    onDataGap,
    throttled: () => undefined,
    ...overrides,
  }
}

export interface Reading extends AsyncDisposable {
  readonly records: Received[]
  /** What polls and the run rejected with. */
  readonly errors: BridgeError[]
  readonly connections: (BridgeError | undefined)[]
  readonly readers: ReadonlyMap<string, PartitionReader>
  readonly partitions: () => number | undefined
  readonly lag: (partition: string) => Lag | undefined
  /** Commits what was received so far, of every partition. */
  commit(): Promise<void>
  /** Aborts and waits for the run's end. */
  stop(): Promise<void>
  readonly finished: Promise<void>
}

export interface ReadingOptions {
  readonly context?: ConnectorContext
  /** Milliseconds each batch takes to be settled. */
  readonly work?: number
  readonly onRecord?: (record: Received) => void
  /** Stops asking a partition while true. */
  readonly held?: (partition: string) => boolean
}

interface Pump {
  readonly polling: AbortController
  readonly done: Promise<void>
  last: number | undefined
}

export async function read(config: unknown, options: ReadingOptions = {}): Promise<Reading> {
  const { context = testContext(), work = 0, onRecord, held = () => false } = options
  const source: Source = await openKafkaSource(sourceConfig(config), context)
  const records: Received[] = []
  const errors: BridgeError[] = []
  const connections: (BridgeError | undefined)[] = []
  const readers = new Map<string, PartitionReader>()
  const pumps = new Map<PartitionReader, Pump>()
  let total: number | undefined
  const stopped = new AbortController()

  const pumpOf = (reader: PartitionReader): Pump => {
    const polling = new AbortController()
    const pump: Pump = { polling, last: undefined, done: Promise.resolve() }
    const loop = async (): Promise<void> => {
      while (!polling.signal.aborted) {
        if (held(reader.partition)) {
          await realClock.sleep(20, polling.signal)
          continue
        }
        try {
          const batch = await reader.poll(polling.signal)
          if (polling.signal.aborted || batch === undefined || batch === 'end') continue
          if (work > 0) await realClock.sleep(work)
          for (const record of batch.records()) {
            const received = { ...record, partition: reader.partition, epoch: reader.epoch }
            records.push(received)
            onRecord?.(received)
            pump.last = Number(record.position)
          }
        } catch (thrown) {
          errors.push(asBridgeError(thrown))
          await realClock.sleep(100, polling.signal)
        }
      }
    }
    return Object.assign(pump, { done: loop() })
  }

  const commitOne = async (reader: PartitionReader): Promise<void> => {
    const position = pumps.get(reader)?.last
    if (position === undefined || reader.settlement.kind !== 'watermark') return
    try {
      await reader.settlement.commit({ position, ended: false })
    } catch (thrown) {
      errors.push(asBridgeError(thrown))
    }
  }

  const host: SourceHost = {
    assigned(reader) {
      readers.set(reader.partition, reader)
      pumps.set(reader, pumpOf(reader))
    },
    async revoked(reader, how) {
      const pump = pumps.get(reader)
      pump?.polling.abort()
      if (how === 'drain') {
        await pump?.done
        await commitOne(reader)
      }
      if (readers.get(reader.partition) === reader) readers.delete(reader.partition)
      pumps.delete(reader)
    },
    connection: (error) => void connections.push(error),
    waiting: () => undefined,
    partitions: (count) => {
      total = count
    },
    repeated: () => undefined,
  }
  const run = async (): Promise<void> => {
    try {
      await source.run(host, stopped.signal)
    } catch (thrown) {
      errors.push(asBridgeError(thrown))
    }
  }
  const finished = run()
  const stop = async (): Promise<void> => {
    stopped.abort()
    await finished
  }
  return {
    records,
    errors,
    connections,
    readers,
    partitions: () => total,
    lag: (partition) => readers.get(partition)?.lag(),
    commit: async () => {
      await Promise.all([...pumps.keys()].map(commitOne))
    },
    stop,
    [Symbol.asyncDispose]: stop,
    finished,
  }
}

const never = new AbortController().signal

/** Opens a sink, again and again as the engine does: a broker that has just started refuses for a moment. */
export async function openSink(config: unknown, context: ConnectorContext = testContext()): Promise<Sink> {
  const sink = await openKafkaSink(sinkConfig(config), context)
  await eventually('the sink opens', async () => {
    await sink.open(never)
    return true
  })
  return sink
}

/** Writes records as one batch and returns the failures by index. */
export const write = (
  sink: Sink,
  records: readonly Partial<BridgeRecord>[],
  partition = 'source/0',
): Promise<WriteResult> => sink.write(sinkBatch(records, { stream: 'kafka', partition }), never)
