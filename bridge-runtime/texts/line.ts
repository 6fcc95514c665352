import { isUtf8 } from 'node:buffer'

/** Without the end of line that a collector may have left. */
export function withoutLineEnd(text: string): string {
  if (!text.endsWith('\n')) return text
  return text.slice(0, text.endsWith('\r\n') ? -2 : -1)
}

/** Where a quoted part ends that begins before `from`: at the first quote without a backslash of its own. -1: nowhere. */
export function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at !== -1 && isEscaped(text, from, at)) at = text.indexOf('"', at + 1)
  return at
}

function isEscaped(text: string, from: number, at: number): boolean {
  let first = at
  while (first > from && text[first - 1] === '\\') first -= 1
  return (at - first) % 2 === 1
}

const letters: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/**
 * What stands between quotes, as it was before a server escaped it: `\"`, `\\`, `\n` and bytes like `\xe9`, which are UTF-8. What is
 * neither stays as it is.
 */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/(?:\\x[0-9a-fA-F]{2})+|\\([\s\S])/g, (all: string, letter: string | undefined) => {
    if (letter === undefined) return ofBytes(all)
    return letter === '"' || letter === '\\' ? letter : (letters[letter] ?? all)
  })
}

function ofBytes(escapes: string): string {
  const bytes = Buffer.from(escapes.replaceAll(String.raw`\x`, ''), 'hex')
  return isUtf8(bytes) ? bytes.toString() : escapes
}
