import type { ReadSecret } from '../define-connector.ts'

export interface Withholding {
  readonly secret: ReadSecret
  /** The text without what the Secrets read so far have held. */
  readonly withhold: (text: string) => string
}

/** Shorter pieces stand in any text by chance. */
const shortestPiece = 8
/** Words of a format, host names, addresses: what anybody may know. */
const vocabulary = /^[A-Za-z_.:/-]+$/

/**
 * Reads Secrets and remembers them, for the texts of services and libraries that are told because nothing better is known:
 * they may quote what they were given. Our own texts never hold a Secret, and need this not.
 */
export function withholding(secret: ReadSecret): Withholding {
  const values = new Map<string, readonly string[]>()
  return {
    async secret(ref) {
      const value = await secret(ref)
      values.set(`${ref.name}/${ref.key}`, piecesOf(value.toString('utf8').trim()))
      return value
    },
    withhold: (text) => [...values.values()].flat().reduce((left, piece) => left.replaceAll(piece, '[withheld]'), text),
  }
}

/** The whole, and its parts as connection strings, JSON and PEM have them; the longest first. */
function piecesOf(value: string): readonly string[] {
  const parts = value
    .split(/[\s"',;{}\\]+/)
    .flatMap((part) => [part, part.slice(part.indexOf('=') + 1), ...part.split(/[/:@]/)])
    .filter((part) => part.length >= shortestPiece && !vocabulary.test(part))
  const pieces = new Set(value.length >= shortestPiece / 2 ? [value, ...parts] : parts)
  return [...pieces].sort((a, b) => b.length - a.length)
}
