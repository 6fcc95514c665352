/** What a person can decide about a gap. */
export const gapAdvice =
  'To go on at the earliest record there is, set spec.delivery.onDataGap: Continue; to begin at startPosition, pause the bridge and set a new ' +
  'spec.lifecycle.reset.token'

/** The same within a sentence. */
export const gapChoices =
  'set spec.delivery.onDataGap: Continue to go on from the earliest record, or, while Paused, a new spec.lifecycle.reset.token to begin at startPosition'
