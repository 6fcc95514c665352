import type { Clock } from '../../core/clock.ts'
import type {
  BridgeRecord,
  Lag,
  PartitionReader,
  Position,
  Settlement,
  Source,
  SourceBatch,
} from '../../core/contracts.ts'
import { fromEarliest } from '../../history/content.ts'
import { coordinate } from '../../leases/coordinate.ts'
import type { Ownership } from '../../leases/partitioned-source.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { type AccessLog, accessLogRecord } from './access-log.ts'
import type { GeneratorConfig } from './schema.ts'

/** Milliseconds: generated partitions are found by nobody else, so a short lease costs little. */
const leaseDuration = 10_000
const discoverInterval = 60_000
/** Most records of one batch, and the most time that is made up for after a pause. */
const batchRecords = 1_000
const catchUp = 1_000

/** In the history. */
const name = 'generator'

/** Opens the generator. Its position is a record number, so a restart goes on where the last one stopped. */
export async function openGeneratorSource(config: GeneratorConfig, context: ConnectorContext): Promise<Source> {
  const { keys, seed } = config
  // A partition needs a key of its own.
  const partitions = Math.min(config.partitions, keys)
  const { clock, leases, history, replica, log } = context
  return {
    run: (host, signal) =>
      coordinate(
        {
          finite: config.records !== undefined,
          // Its records are made anew from their numbers, whatever the settings: a position fits always.
          name,
          isMissing: () => false,
          identify: async () => ({ name, birth: undefined }),
          begin: async () => fromEarliest,
          discover: async () =>
            Array.from({ length: partitions }, (_, partition) => ({ partition: String(partition), parents: [] })),
          open: (ownership) =>
            new GeneratorReader(ownership, {
              log: { seed, keys, partitions },
              perSecond: config.recordsPerSecond / partitions,
              end: endOf(config.records, partitions, Number(ownership.partition)),
              clock,
            }),
        },
        { store: leases, history, replica, leaseDuration, discoverInterval, clock, random: Math.random, log },
        host,
        signal,
      ),
    async [Symbol.asyncDispose]() {
      // Nothing is held open.
    },
  }
}

/** How many records a partition has: the first partitions share the remainder. */
function endOf(records: number | undefined, partitions: number, partition: number): number {
  if (records === undefined) return Number.POSITIVE_INFINITY
  return Math.floor(records / partitions) + (partition < records % partitions ? 1 : 0)
}

interface GeneratorReaderOptions {
  readonly log: AccessLog
  readonly perSecond: number
  readonly end: number
  readonly clock: Clock
}

class GeneratorReader implements PartitionReader {
  readonly stream = undefined
  readonly partition: string
  readonly epoch: number
  readonly settlement: Settlement
  readonly #options: GeneratorReaderOptions
  /** The next record to make, and the next one that is not committed. */
  #next: number
  #committed: number
  /** At this monotonic time record `#from` was due. */
  #since: number
  #from: number

  constructor(ownership: Ownership, options: GeneratorReaderOptions) {
    this.partition = ownership.partition
    this.epoch = ownership.epoch
    this.#options = options
    this.#next = following(ownership.checkpoint.position)
    this.#committed = this.#next
    this.#since = options.clock.monotonic()
    this.#from = this.#next
    this.settlement = {
      kind: 'watermark',
      commit: async (progress) => {
        await ownership.commit(progress)
        this.#committed = Math.max(this.#committed, following(progress.position))
      },
    }
  }

  lag(): Lag {
    return { kind: 'known', records: Math.max(this.#due(), this.#next) - this.#committed }
  }

  async poll(signal: AbortSignal): Promise<SourceBatch | 'end' | undefined> {
    const { clock, end, perSecond } = this.#options
    if (this.#next >= end) return 'end'
    this.#forgetPause()
    const waiting = this.#due() - this.#next
    if (waiting < 1) {
      const untilNext = ((this.#next + 1 - this.#from) * 1000) / perSecond - (clock.monotonic() - this.#since)
      await clock.sleep(Math.max(1, untilNext), signal)
      return undefined
    }
    return this.#make(Math.min(waiting, batchRecords))
  }

  /** Records that should exist by now. */
  #due(): number {
    const { clock, perSecond, end } = this.#options
    return Math.min(end, this.#from + Math.floor(((clock.monotonic() - this.#since) * perSecond) / 1000))
  }

  /** Records that nobody asked for in time are not made up for: the rate stays what it was set to. */
  #forgetPause(): void {
    const { clock, perSecond } = this.#options
    const allowed = Math.max(1, Math.ceil((perSecond * catchUp) / 1000))
    if (this.#due() - this.#next <= allowed) return
    this.#since = clock.monotonic() - catchUp
    this.#from = this.#next
  }

  #make(count: number): SourceBatch {
    const { clock, log } = this.#options
    const first = this.#next
    this.#next += count
    const timestamp = clock.now()
    const records: BridgeRecord[] = []
    let bytes = 0
    for (let n = first; n < this.#next; n += 1) {
      const { key, value } = accessLogRecord(log, Number(this.partition), n)
      bytes += key.length + value.length
      records.push({ key: Buffer.from(key), value: Buffer.from(value), headers: [], timestamp, position: n })
    }
    return { count, bytes, first, last: this.#next - 1, lastTimestamp: timestamp, records: () => records }
  }
}

const following = (position: Position | undefined): number => (position === undefined ? 0 : Number(position) + 1)
