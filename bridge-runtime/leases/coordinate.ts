/** Shares the partitions of a source over the replicas of a bridge, for services that do not do it themselves. */
import type { SourceHost } from '../core/contracts.ts'
import { asBridgeError, type BridgeError } from '../core/errors.ts'
import { errorText } from '../observability/logger.ts'
import { Coordinator, type CoordinatorOptions } from './coordinator.ts'
import { Membership } from './ownership/membership.ts'
import type { PartitionedSource } from './partitioned-source.ts'

/**
 * Takes part in the distribution until the signal aborts (then drains and releases everything) or, with a finite source,
 * until every partition is finished.
 *
 * *Guarantees*: a partition has one owner that can commit; a partition starts only after all of its parents are finished;
 * every partition that may be worked on gets an owner while at least one replica lives; a position is used for the stream it is
 * of, and one that is gone is a gap.
 * *Errors*: rejects with a BridgeError when the others took this replica for dead; to be called again.
 */
export async function coordinate(
  source: PartitionedSource,
  options: CoordinatorOptions,
  host: SourceHost,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const error = await takePart(source, options, host, signal)
    if (error === undefined) return
    options.log.warn('replica name taken', { error: errorText(error) })
    host.connection(error)
    await Membership.freed(options, signal)
    if (signal.aborted) return
  }
}

/** @returns why this process must stay off; undefined when its part is done */
async function takePart(
  source: PartitionedSource,
  options: CoordinatorOptions,
  host: SourceHost,
  signal: AbortSignal,
): Promise<BridgeError | undefined> {
  try {
    await using membership = await Membership.join(options)
    await new Coordinator(source, options, host, membership).run(signal)
    return undefined
  } catch (thrown) {
    const error = asBridgeError(thrown)
    if (error.reason === 'ReplicaNameTaken') return error
    throw error
  }
}
