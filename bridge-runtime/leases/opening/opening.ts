/** From a free lease to a partition that is read: its position judged, its gap remembered, its beginning recorded. */
import type { Clock } from '../../core/clock.ts'
import type { PartitionReader } from '../../core/contracts.ts'
import { gapAdvice } from '../../history/advice.ts'
import { begun, finished, fromEarliest, type HistoryContent, withGap, withoutGap } from '../../history/content.ts'
import type { History } from '../../history/history.ts'
import { keepingGaps } from '../../history/keeping-gaps.ts'
import type { Logger } from '../../observability/logger.ts'
import type { PartitionedSource, Scene } from '../partitioned-source.ts'
import { halted } from './halted.ts'
import { Holding } from '../ownership/holding.ts'
import type { Checkpoint, Lease, LeaseStore } from '../../lease-stores/lease-store.ts'
import { begunOf, positionStateOf, tagOf } from './position-state.ts'
import { ifFree } from '../../lease-stores/write-own.ts'

interface Keeping {
  readonly store: LeaseStore
  readonly history: History
  readonly log: Logger
}

export interface OpeningOptions extends Keeping {
  readonly source: PartitionedSource
  readonly replica: string
  readonly clock: Clock
  /** Aborts when nothing is to be opened any more. */
  readonly over: AbortSignal
  /** A holding ended or is lost. */
  readonly changed: () => void
  /** What was seen of the source is not so any more. */
  readonly lookAgain: () => void
  readonly held: (holding: Holding) => void
  readonly dropped: (holding: Holding) => void
  readonly opened: (reader: PartitionReader) => void
}

interface Acquired {
  readonly holding: Holding
  readonly checkpoint: Checkpoint
  readonly gap: string | undefined
}

/**
 * Acquires the leases and opens what was acquired.
 *
 * *Guarantees*: a gap is remembered before the lease that shows it looks as if it had none; a partition counts as begun after its lease
 * carries the stream's tag, and before its reader is handed out. *Errors*: what the store says; then nothing is held that was not opened.
 */
export async function opening(leases: readonly Lease[], scene: Scene, options: OpeningOptions): Promise<void> {
  const { history, over } = options
  const content = await history.recall()
  if (content === undefined || !isOf(scene, content)) return options.lookAgain()
  const acquired: Acquired[] = []
  try {
    for (const lease of leases) {
      const one = over.aborted ? undefined : await acquire(lease, content, scene, options)
      if (one !== undefined) acquired.push(one)
    }
    await begin(acquired, content, scene, options)
  } catch (thrown) {
    await letGo(acquired, options)
    throw thrown
  }
  for (const one of acquired) {
    if (one.holding.state !== 'held') continue
    if (one.gap !== undefined && history.goesOn && !scene.listing.has(one.holding.partition)) await pass(one, options)
    else handOut(one, content, scene, options)
  }
}

const isOf = ({ stream, tag }: Scene, content: HistoryContent): boolean => tagOf(content, stream) === tag

/** Changes the history where the generation is still the one that was looked at. */
const within =
  (scene: Scene, change: (content: HistoryContent) => HistoryContent) =>
  (content: HistoryContent | undefined): HistoryContent =>
    content !== undefined && isOf(scene, content) ? change(content) : (content ?? scene.content)

async function acquire(
  lease: Lease,
  content: HistoryContent,
  scene: Scene,
  { store, history, replica, log, changed, held }: OpeningOptions,
): Promise<Acquired | undefined> {
  const { partition } = lease
  const { checkpoint, gap: lost } = positionStateOf(lease, content, scene.stream)
  const why = lost ?? (scene.listing.has(partition) ? undefined : unlisted(checkpoint))
  const gap =
    content.gaps[partition] ?? (why && `partition ${partition} of ${scene.stream.name}: ${why}: ${gapAdvice()}`)
  const { unreadable: _, ...readable } = lease
  const tagged = { ...checkpoint, stream: scene.tag }
  const taking = { ...readable, checkpoint: lost === undefined ? tagged : checkpoint }
  let taken = await ifFree(() => store.acquire(taking, replica))
  if (taken === undefined) return undefined
  if (why !== undefined) {
    // Only now it is sure that the lease is as it was judged, and that no other replica has begun the partition meanwhile.
    await history.change(within(scene, withGap(partition, gap ?? why)))
    taken = await store.checkpoint(taken, tagged)
  }
  const holding = new Holding(taken, { store, changed })
  held(holding)
  log.info('partition taken', { partition, epoch: holding.epoch })
  return { holding, checkpoint, gap }
}

const unlisted = ({ position }: Checkpoint): string =>
  `the stream lists no such partition any more${position === undefined ? '' : ` (last read: ${position})`}, and it was not finished`

async function begin(
  acquired: readonly Acquired[],
  content: HistoryContent,
  scene: Scene,
  options: OpeningOptions,
): Promise<void> {
  const known = begunOf(content, scene.stream)
  const fresh = acquired.map(({ holding }) => holding.partition).filter((partition) => !known.includes(partition))
  if (fresh.length === 0) return
  const now = await options.history.change(within(scene, begun(scene.stream, fresh)))
  if (isOf(scene, now)) return
  options.lookAgain()
  await letGo(acquired, options)
}

async function letGo(acquired: readonly Acquired[], { dropped }: OpeningOptions): Promise<void> {
  for (const { holding } of acquired) {
    // Best effort: this replica takes or releases what it finds under its name.
    await holding.release().catch(() => undefined)
    holding.state = 'lost'
    dropped(holding)
  }
}

/** A partition that is gone, which a person decided to pass over: its children may start. */
async function pass({ holding, gap }: Acquired, { history, log }: OpeningOptions): Promise<void> {
  const { partition } = holding
  log.warn('records are lost', { partition, gap })
  await holding.commit({ position: undefined, ended: true })
  await history.change((content) => withoutGap(partition)(content))
}

function handOut(
  { holding, checkpoint, gap }: Acquired,
  content: HistoryContent,
  { stream, listing }: Scene,
  { source, history, clock, log, opened, lookAgain }: OpeningOptions,
): void {
  const { partition, epoch } = holding
  const anew = gap !== undefined
  const ownership = {
    partition,
    epoch,
    checkpoint: anew ? { position: undefined, ended: false } : checkpoint,
    start: anew ? fromEarliest : (content.start ?? fromEarliest),
    stream,
    lookAgain,
    commit: holding.commit.bind(holding),
  }
  holding.reader =
    gap !== undefined && !listing.has(partition)
      ? halted(ownership, gap)
      : keepingGaps(source.open(ownership), { history, gap, clock, log })
  opened(holding.reader)
}

/** Partitions that are finished and not listed any more are missed by nobody: recorded before their leases are removed. */
export async function forgetting(leases: readonly Lease[], scene: Scene, { history }: Keeping): Promise<void> {
  if (leases.length === 0) return
  const { name } = scene.stream
  await history.change(
    within(scene, (content) => leases.reduce((left, { partition }) => finished(name, partition)(left), content)),
  )
}
