/** Not a partition: the lease that holds what a bridge has read before, as JSON in the place of a position. */
export const historyLease = '~history'
