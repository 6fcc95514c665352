import type { Clock } from '../core/clock.ts'
import type { PartitionReader, Settlement } from '../core/contracts.ts'
import { asBridgeError, BridgeError } from '../core/errors.ts'
import { errorText, type Logger } from '../observability/logger.ts'
import { withGap, withoutGap } from './content.ts'
import type { History } from './history.ts'

export interface KeepingGapsOptions {
  readonly history: History
  /** What was remembered when the partition was opened: undefined when there is no gap. */
  readonly gap: string | undefined
  /** Whether a gap must be remembered, as nobody would find it again. Default: each. */
  readonly lasting?: (gap: BridgeError) => boolean
  readonly clock: Clock
  readonly log: Logger
}

/** Milliseconds before a word on a gap that could not be stored is tried again, and how often. */
const pause = 1_000
const attempts = 60

/**
 * A reader whose gaps last until a person decides: through restarts, other owners, and a stream that has grown meanwhile.
 *
 * *Assumptions*: where a person has decided to go on (`History.goesOn`) and `gap` is set, `reader` begins at the earliest
 * record there is. *Guarantees*: an undecided gap is never read past; a decided one is forgotten only when a position behind it
 * is stored.
 */
export function keepingGaps(reader: PartitionReader, options: KeepingGapsOptions): PartitionReader {
  const { history, gap, lasting = () => true, clock, log } = options
  const { partition } = reader
  let open = gap !== undefined

  async function remember(message: string): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      try {
        await history.change(withGap(partition, message))
        return
      } catch (thrown) {
        log.warn('a gap could not be remembered yet', { partition, error: errorText(thrown) })
        await clock.sleep(pause)
      }
    }
  }

  /** Best effort: while it stays, a restart reads from the earliest record again. */
  async function forget(): Promise<void> {
    if (!open) return
    open = false
    await history.change(withoutGap(partition)).catch((thrown: unknown) => {
      open = true
      log.warn('a gap could not be forgotten yet', { partition, error: errorText(thrown) })
    })
  }

  return {
    partition,
    stream: reader.stream,
    epoch: reader.epoch,
    settlement: forgetting(reader.settlement, forget),
    lag: () => reader.lag(),
    async poll(signal) {
      if (gap !== undefined && !history.goesOn) throw dataGap(gap)
      try {
        return await reader.poll(signal)
      } catch (thrown) {
        const error = asBridgeError(thrown)
        // Not awaited: the partition halts now, also while the store is away.
        if (error.reason === 'DataGap' && lasting(error)) void remember(error.message)
        throw error
      }
    },
  }
}

function forgetting(settlement: Settlement, forget: () => Promise<void>): Settlement {
  if (settlement.kind === 'watermark')
    return {
      kind: 'watermark',
      commit: async (progress) => {
        await settlement.commit(progress)
        if (progress.position !== undefined || progress.ended) await forget()
      },
    }
  return {
    kind: 'individual',
    settled: (batch, indexes) => {
      settlement.settled(batch, indexes)
      void forget()
    },
  }
}

/** What halts a partition until a person decides. */
export const dataGap = (message: string): BridgeError => new BridgeError(message, { kind: 'fatal', reason: 'DataGap' })
