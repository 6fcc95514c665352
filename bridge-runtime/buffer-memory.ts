/**
 * Collects garbage early when buffers pile up. V8 sees only the small objects that hold them and waits until 64 MB of
 * buffers have been added, which at full speed is more than the records on their way take together.
 */
import type { BridgeFile } from '../crds/schema/bridge-file.ts'
import { sinkOf, sourceOf } from './connectors/catalog.ts'
import type { Clock } from './core/clock.ts'

export interface BufferMemory {
  /** Bytes of buffers, garbage included. */
  used(): number
  /** Collects all garbage now. */
  collect(): void
}

/**
 * Whether it pays. Between Kafka and Kafka nearly all buffers of a moment are garbage at the next: it takes 40 to 60 MB off, and costs
 * processor time that such a bridge has to spare. Elsewhere (Pub/Sub, Event Hubs, Kinesis) most are in use until an answer comes; a
 * collection takes twice as long, finds little, and took a third off the records per CPU-second.
 */
export const collectsEarly = ({ source, sink }: Pick<BridgeFile, 'source' | 'sink'>): boolean =>
  sourceOf(source).definition.collectsEarly === true && sinkOf(sink).definition.collectsEarly === true

/** Bytes of new buffers that are worth the 40 milliseconds of a collection. */
const growth = 24 * 1024 * 1024
/** Milliseconds between two looks: at a gigabyte per second of buffers, not much more than the growth itself. */
const interval = 25

/** Until the signal aborts. */
export async function boundBuffers(memory: BufferMemory, clock: Clock, signal: AbortSignal): Promise<void> {
  let kept = memory.used()
  while (!signal.aborted) {
    await clock.sleep(interval, signal)
    const used = memory.used()
    // V8 has collected by itself.
    kept = Math.min(kept, used)
    if (used - kept < growth) continue
    memory.collect()
    kept = memory.used()
  }
}
