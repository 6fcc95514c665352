/** Finds text of a Secret in what was said. */
import { inspect } from 'node:util'

/** Letters of a canary that are a leak when they stand together: fewer could be a coincidence. */
const window = 8

/** The first piece of a canary in the text; undefined: nothing leaked. */
export function leakOf(canaries: readonly string[], text: string): string | undefined {
  for (const canary of canaries)
    for (let at = 0; at + window <= canary.length; at += 1) {
      const piece = canary.slice(at, at + window)
      if (text.includes(piece)) return piece
    }
  return undefined
}

/** All that anybody could print of an error: message, stack, properties, and the same of its causes. */
export function everythingOf(thrown: unknown, depth = 0): string {
  if (!(thrown instanceof Error) || depth > 8) return inspect(thrown, { depth: 6 })
  const inner = [thrown.cause, ...(thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [])]
  return [
    thrown.message,
    thrown.stack ?? '',
    inspect(thrown, { depth: 6 }),
    ...inner.filter((one) => one !== undefined).map((one) => everythingOf(one, depth + 1)),
  ].join('\n')
}
