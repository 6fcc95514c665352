import { bytes } from '../../../crds/kit/units.ts'
import type { Sink, SinkBatch, PartialAcknowledgement, WriteResult } from '../../core/contracts.ts'
import { heldBack } from '../../core/delivery/held-back.ts'
import { BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { writing } from '../requests/write-outcome.ts'
import { Batches, type Entry } from './write/batches.ts'
import { batchOverhead } from './amqp/encoding.ts'
import { eventOf } from './write/event.ts'
import { Hub, type HubApi } from './hub.ts'
import { partitionOf } from './write/partition-key.ts'
import type { EventHubsSinkConfig } from './schema.ts'

/** Opens an event hub for writing. The connection is made by `open` of the sink. */
export const openEventHubsSink = async (config: EventHubsSinkConfig, context: ConnectorContext): Promise<Sink> =>
  eventHubsSink(new Hub(config, context, 'Send'), config, context)

/** Milliseconds between two looks at the number of partitions. */
const partitionsGoodFor = 60_000

export function eventHubsSink(
  api: HubApi,
  { limits }: Pick<EventHubsSinkConfig, 'limits'>,
  { clock, field }: Pick<ConnectorContext, 'clock' | 'field'>,
): Sink {
  const { maxRecords } = limits
  const configured = bytes(limits.maxBatchBytes)
  const senders = new Map<string, Batches>()
  let partitions: readonly string[] = []
  let lookAt = Number.POSITIVE_INFINITY
  let turn = 0
  let maxBytes = configured

  const senderOf = (partition: string): Batches => {
    let sender = senders.get(partition)
    if (sender === undefined) {
      const doing = `writing partition ${partition} of`
      sender = new Batches({
        attach: () => api.sender(partition),
        translated: (thrown) => api.translated(thrown, doing),
        maxRecords,
        maxBytes: configured,
      })
      senders.set(partition, sender)
    }
    return sender
  }

  /** Not waited for: until it is known that there are more, the old number is as good as any. */
  const lookAgain = (): void => {
    lookAt = clock.monotonic() + partitionsGoodFor
    api.describe().then(
      (found) => {
        partitions = found.partitions
      },
      () => undefined,
    )
  }

  /** What makes room. */
  const more = (): string =>
    maxBytes < configured
      ? 'the tier of the namespace allows no larger one'
      : `raise ${field}.limits.maxBatchBytes, if the tier of the namespace allows larger ones`

  const tooLarge = (size: number): BridgeError =>
    new BridgeError(
      `an event of ${size} bytes (key, headers and encoding included) is larger than a batch may be (${maxBytes}): ${more()}`,
      {
        kind: 'poison',
        reason: 'RecordTooLarge',
      },
    )

  const write = (batch: SinkBatch, signal: AbortSignal, stored?: PartialAcknowledgement): Promise<WriteResult> =>
    writing({ count: batch.count, signal, stored }, ({ settle, isOpen }) => {
      if (clock.monotonic() >= lookAt) lookAgain()
      // Records without a key go round by the write, so that they fill a batch of one partition.
      const own = partitions[turn++ % partitions.length] ?? '0'
      const refused = new Set<string>()
      const entries: [string, Entry][] = []
      for (const [index, record] of batch.records().entries()) {
        const event = eventOf(record, batch.origin)
        const key = event.key?.toString('utf8')
        const size = event.bytes.length + batchOverhead
        if (size > maxBytes) {
          settle(index, tooLarge(size))
          // What follows a refused record of its key is held back: the refused one may yet be dead-lettered first.
          if (key !== undefined) refused.add(key)
        } else if (key !== undefined && refused.has(key)) settle(index, heldBack)
        else {
          const partition =
            event.key === undefined ? own : (partitions[partitionOf(event.key, partitions.length)] ?? '0')
          const done = (failure: BridgeError | undefined): void => settle(index, failure)
          entries.push([partition, { key, bytes: event.bytes, done, abandoned: () => !isOpen(index) }])
        }
      }
      // Only now: what throws above has sent nothing, and the engine writes all of it again.
      for (const [partition, entry] of entries) senderOf(partition).add(entry)
    })

  return {
    limits: { maxRecords, maxBytes: configured },
    async open(signal) {
      partitions = (await api.describe(signal)).partitions
      lookAt = clock.monotonic() + partitionsGoodFor
      // One link shows whether writing is allowed, and how large a batch may be.
      maxBytes = await senderOf(partitions[0] ?? '0').open()
    },
    write,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]()
    },
  }
}
