/** When a status is written: at most every 10 s, and only if it has changed. Pure. */
import type { StreamBridgeStatus } from '../../../crds/schema/status.ts'
import { canonicalJson } from '../../kube/format/canonical.ts'

/**
 * Milliseconds between two writes of one object's status, unless a condition changes: 10 s, or the interval of the
 * reports where that was set to less than 5 s, for a person who watches.
 */
export const minWriteInterval = (interval: number): number => (interval < 5_000 ? interval : 10_000)

const stateOf = ({ observedGeneration, phase, conditions = [] }: StreamBridgeStatus): string =>
  canonicalJson([observedGeneration, phase, conditions.map(({ type, status, reason }) => [type, status, reason])])

/** `observedAt` alone is no change. */
const figuresOf = ({ source, ...others }: StreamBridgeStatus): string =>
  canonicalJson({ ...others, source: { ...source, observedAt: null } })

/** Whether to write the status now. `intervalElapsed`: since the last write. */
export function isWorthWriting(
  previous: StreamBridgeStatus | undefined,
  next: StreamBridgeStatus,
  intervalElapsed: boolean,
): boolean {
  if (previous === undefined || stateOf(previous) !== stateOf(next)) return true
  return figuresOf(previous) !== figuresOf(next) && intervalElapsed
}
