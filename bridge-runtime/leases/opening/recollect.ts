/** What a bridge remembers of its source when it looks at it: begun where it is new, refused where it is another one. */
import { gapAdvice } from '../../history/advice.ts'
import {
  beginning,
  beginningAgain,
  begun,
  type FoundStream,
  fromEarliest,
  goingOn,
  type HistoryContent,
} from '../../history/content.ts'
import type { History } from '../../history/history.ts'
import { dataGap } from '../../history/keeping-gaps.ts'
import type { Logger } from '../../observability/logger.ts'
import type { Lease, LeaseStore } from '../../lease-stores/lease-store.ts'
import { isReserved } from '../ownership/membership.ts'
import { foreignTo } from './position-state.ts'

export interface RecollectOptions {
  readonly store: LeaseStore
  readonly history: History
  readonly log: Logger
  /** Where the partitions begin that there are now, in the source's words. */
  readonly begin: () => Promise<string>
}

/** Not a partition: until the history there was, it held where `Latest` began, in the source's words. */
const startLease = '~start'

/**
 * The history of the stream that was found, begun if it had not.
 *
 * *Errors*: `DataGap` when the positions are of another stream and nobody has decided to go on; what store and source say.
 */
export async function recollect(found: FoundStream, options: RecollectOptions): Promise<HistoryContent> {
  const { history, store, log } = options
  let content = await history.recall()
  if (content?.start === undefined) content = await begin(found, content, options)
  const foreign = foreignTo(content, found)
  if (foreign === undefined) return await known(found, content, history)
  if (isUnread(content)) {
    const start = await options.begin()
    return await history.change((now) =>
      now === undefined || isUnread(now) ? beginningAgain(start, [found])(now) : now,
    )
  }
  if (!history.goesOn) throw dataGap(`${foreign}${lastPositions(await store.list())}: ${gapAdvice()}`)
  log.warn('going on with another stream at its earliest record', { gap: foreign })
  return await history.change((now) => (now === undefined || foreignTo(now, found) ? goingOn([found])(now) : now))
}

/** The stream is there that was only awaited. */
async function known(found: FoundStream, content: HistoryContent, history: History): Promise<HistoryContent> {
  const { birth } = content.streams[found.name] ?? {}
  if (content.streams[found.name] !== undefined && (birth !== undefined || found.birth === undefined)) return content
  return await history.change((now = content) => (foreignTo(now, found) === undefined ? begun(found, [])(now) : now))
}

/** There is no such stream yet: all of one that appears later is new, whatever startPosition says. */
export async function awaiting(name: string, { history }: Pick<RecollectOptions, 'history'>): Promise<void> {
  const content = await history.recall()
  if (content?.start !== undefined) return
  await history.change(beginning(fromEarliest, [{ name, birth: undefined, found: 0 }]))
}

/** Nothing was ever read: there is no position to lose. */
const isUnread = ({ streams }: HistoryContent): boolean =>
  Object.values(streams).every(({ begun }) => begun.length === 0)

/** Positions that an older version left are taken over, once: those of before a reset count for nothing. */
async function begin(
  found: FoundStream,
  content: HistoryContent | undefined,
  { history, store, begin: first }: RecollectOptions,
): Promise<HistoryContent> {
  const stored = (content?.generation ?? 1) === 1 ? await store.list() : []
  const start = stored.find(({ partition }) => partition === startLease)?.checkpoint.position ?? (await first())
  const taken = stored.filter(isPositioned).map(({ partition }) => partition)
  return await history.change((now) =>
    now?.start === undefined ? begun(found, taken)(beginning(String(start), [found])(now)) : now,
  )
}

const isPositioned = ({ partition, checkpoint: { position, ended, stream } }: Lease): boolean =>
  !isReserved(partition) && stream === undefined && (position !== undefined || ended)

/** Most of them that a message names. */
const named = 3

function lastPositions(leases: readonly Lease[]): string {
  const positions = leases.flatMap(({ partition, checkpoint: { position } }) =>
    isReserved(partition) || position === undefined ? [] : [`${partition} at ${position}`],
  )
  if (positions.length === 0) return ''
  const more = positions.length > named ? ` and ${positions.length - named} more` : ''
  return `; last read: ${positions.slice(0, named).join(', ')}${more}`
}
