/** What a person can decide about a gap: one sentence for every source. */

/** To begin as if new: the word that is taken while nothing runs. */
export const setReset = 'set a new spec.lifecycle.reset.token while the bridge is Paused'

export interface Choices {
  /** Where `onDataGap: Continue` goes on, as the source can. */
  readonly from?: string
  /** Where a reset begins; absent where the service alone knows the position. */
  readonly anew?: string | undefined
}

/** Ends a sentence. What only one source knows is added behind a comma. */
export const gapAdvice = ({
  from = 'from the earliest record there is',
  anew = 'to begin at startPosition',
}: Choices = {}): string =>
  `set spec.delivery.onDataGap: Continue to go on ${from}, or ${[setReset, anew].filter(Boolean).join(' ')}`
