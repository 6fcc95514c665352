/** Texts as they stand in a status or an Event. */

/** Longest text in bytes: what an Event's note may have; longer ones make `kubectl describe` unreadable and objects large. */
const longest = 1_024

const ellipsis = '…'

/** The text, or as many whole characters of it as fit. */
export function clip(text: string): string {
  if (Buffer.byteLength(text) <= longest) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(longest - Buffer.byteLength(ellipsis)))
  return text.slice(0, read) + ellipsis
}
