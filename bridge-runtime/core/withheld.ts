/** What may be kept of an error that is not ours. */

/** Of the properties of an error those that tell its kind. All others may repeat what it was about. */
const kinds = ['code', 'apiId', 'condition'] as const

/**
 * An error without its text, and its causes without theirs: its name, its codes and where it was thrown. Libraries and
 * services repeat in their texts what they were given, credentials among it, and whoever prints an error prints its causes.
 */
export function withheld(thrown: unknown, depth = 0): unknown {
  if (typeof thrown !== 'object' || thrown === null || depth > 8) return undefined
  const { name, stack, cause, errors } = thrown as Partial<AggregateError>
  const options = cause === undefined ? undefined : { cause: withheld(cause, depth + 1) }
  const bare = Array.isArray(errors)
    ? new AggregateError(
        errors.map((inner: unknown) => withheld(inner, depth + 1)),
        '',
        options,
      )
    : new Error('', options)
  if (typeof name === 'string') bare.name = name
  for (const kind of kinds) {
    const value = (thrown as Readonly<Record<string, unknown>>)[kind]
    if (typeof value === 'string' || typeof value === 'number') Object.assign(bare, { [kind]: value })
  }
  const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => /^ {4}at /.test(line)) : []
  bare.stack = [bare.name, ...frames].join('\n')
  return bare
}
