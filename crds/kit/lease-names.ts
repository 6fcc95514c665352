/** Names of the Leases of a bridge. They are fixed, so that its pods are allowed those and no other. */

/** Objects that partitions are spread over; one may hold several. */
export const leaseObjects = 256

export const leaseName = (bridge: string, number: number): string =>
  `${bridge}-lease-${String(number).padStart(3, '0')}`

/** Holds what the bridge remembers of its source. It has no label of the bridge: deleting the others by label leaves it. */
export const historyName = (bridge: string): string => `${bridge}-history`

export const leaseNames = (bridge: string): string[] => [
  historyName(bridge),
  ...Array.from({ length: leaseObjects }, (_, number) => leaseName(bridge, number)),
]
