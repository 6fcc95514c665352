/** Where in an expression something stands, for a person. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

/** What is wrong with an expression, whatever the record. */
export class ExpressionError extends Error {}
