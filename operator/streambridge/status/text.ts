/** Texts and times as they stand in a status. */

export const isoTime = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

/** Longest text in bytes: longer ones make `kubectl describe` unreadable and the object large. */
const longest = 1024

export function clip(text: string): string {
  if (Buffer.byteLength(text) <= longest) return text
  // A character cut in half at the end becomes U+FFFD: dropped.
  return `${Buffer.from(text)
    .subarray(0, longest - 3)
    .toString()
    .replace(/\uFFFD$/, '')}…`
}
