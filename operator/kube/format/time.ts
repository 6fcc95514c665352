/** Times as the Kubernetes API writes them, from milliseconds since the epoch. */

/** `metav1.Time`: whole seconds. */
export const time = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

/** `metav1.MicroTime`: RFC 3339 with microseconds. */
export const microTime = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('Z', '000Z')
