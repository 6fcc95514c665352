/** When a status is written: at most every 10 s, and not at all while nothing is new. Pure. */
import type { StreamBridgeStatus } from '../../crds/schema/status.ts'
import { canonicalJson } from './desired/canonical.ts'

/** Milliseconds between two writes of one object's status, unless a condition changes. */
const rest = 10_000

const words = ({ observedGeneration, phase, conditions = [] }: StreamBridgeStatus): string =>
  canonicalJson([observedGeneration, phase, conditions.map(({ type, status, reason }) => [type, status, reason])])

/** The time of the look alone is no news. */
const figures = ({ source, ...others }: StreamBridgeStatus): string =>
  canonicalJson({ ...others, source: { ...source, observedAt: null } })

/** Whether to write the status now. `sinceLast`: milliseconds since the last write, undefined when there was none. */
export function isWorthWriting(
  previous: StreamBridgeStatus | undefined,
  next: StreamBridgeStatus,
  sinceLast: number | undefined,
): boolean {
  if (previous === undefined || words(previous) !== words(next)) return true
  return figures(previous) !== figures(next) && (sinceLast === undefined || sinceLast >= rest)
}
