/** How far the replicas of a workload are. Pure. */

export interface Rollout {
  /** Replicas that the stored object asks for. */
  readonly wanted: number
  readonly existing: number
  readonly updated: number
  readonly ready: number
  readonly available: number
  /** The figures speak of the present object. */
  readonly observed: boolean
  /** Why pods cannot be made. */
  readonly refused: string | undefined
}

/** Before there is a workload. */
export const noRollout: Rollout = {
  wanted: 0,
  existing: 0,
  updated: 0,
  ready: 0,
  available: 0,
  observed: false,
  refused: undefined,
}

/** All replicas run the present pod template, and no other does. */
export const isRolledOut = ({ observed, updated, existing, wanted }: Rollout): boolean =>
  observed && updated >= wanted && existing <= updated

/** Nothing is left to do. */
export const isSettled = ({ observed, ...counts }: Rollout): boolean =>
  observed && [counts.existing, counts.updated, counts.available].every((count) => count === counts.wanted)
