/** When a status is written: at most every 10 s, and not at all while nothing is new. Pure. */
import type { StreamBridgeStatus } from '../../../crds/schema/status.ts'
import { canonicalJson } from '../../kube/format/canonical.ts'

/**
 * Milliseconds between two writes of one object's status, unless a condition changes: 10 s, or as often as the replicas
 * are asked where that was set to less than 5 s, for a person who watches.
 */
export const restBetween = (interval: number): number => (interval < 5_000 ? interval : 10_000)

const words = ({ observedGeneration, phase, conditions = [] }: StreamBridgeStatus): string =>
  canonicalJson([observedGeneration, phase, conditions.map(({ type, status, reason }) => [type, status, reason])])

/** The time of the look alone is no news. */
const figures = ({ source, ...others }: StreamBridgeStatus): string =>
  canonicalJson({ ...others, source: { ...source, observedAt: null } })

/** Whether to write the status now. `rested`: enough time has gone by since the last write. */
export function isWorthWriting(
  previous: StreamBridgeStatus | undefined,
  next: StreamBridgeStatus,
  rested: boolean,
): boolean {
  if (previous === undefined || words(previous) !== words(next)) return true
  return figures(previous) !== figures(next) && rested
}
