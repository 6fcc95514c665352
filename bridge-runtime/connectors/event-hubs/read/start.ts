/** Where a partition without a checkpoint begins. */
import { fromEarliest } from '../../../history/content.ts'
import type { HubApi } from '../hub.ts'
import type { EventHubsSourceConfig } from '../schema.ts'

/** `after`: behind this sequence number, -1 for the first event. `since`: with the first event stored at this time or later. */
export type Start = { readonly after: number } | { readonly since: number } | 'first'

/**
 * `Latest` means the ends of the partitions when the bridge first began, also after a crash and on every replica: as `0:41,1:-1`. A
 * partition that was added later is read from its first event, because all of it is newer. Other starts are `Earliest` or a time.
 */
export async function startText(
  { type, timestamp }: EventHubsSourceConfig['startPosition'],
  api: Pick<HubApi, 'describe' | 'properties'>,
  signal: AbortSignal,
): Promise<string> {
  if (timestamp !== undefined) return new Date(timestamp).toISOString()
  if (type === 'Earliest') return fromEarliest
  const { partitions } = await api.describe(signal)
  const ends = await Promise.all(
    partitions.map(async (partition) => `${partition}:${(await api.properties(partition, signal)).last}`),
  )
  return ends.join()
}

const time = /^\d{4,}-\d\d-/

export function startOf(start: string, partition: string): Start {
  if (start === fromEarliest) return 'first'
  if (time.test(start)) return { since: Date.parse(start) }
  const after = ends(start).get(partition)
  return after === undefined ? 'first' : { after }
}

function ends(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split(',').map((pair) => {
      const at = pair.lastIndexOf(':')
      return [pair.slice(0, at), Number(pair.slice(at + 1))] as const
    }),
  )
}

/** The service's filter for a start; undefined: from the first event. */
export function filterOf(start: Start): string | undefined {
  if (start === 'first') return undefined
  if ('since' in start) return `amqp.annotation.x-opt-enqueued-time > '${start.since - 1}'`
  return start.after < 0 ? undefined : `amqp.annotation.x-opt-sequence-number > '${start.after}'`
}
