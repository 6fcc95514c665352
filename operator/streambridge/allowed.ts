/** What the operator lets StreamBridges name. Pure. */

/** Patterns, in which `*` is any text; an empty list allows everything. */
export interface Allowed {
  readonly images: readonly string[]
  readonly serviceAccounts: readonly string[]
}

export const anything: Allowed = { images: [], serviceAccounts: [] }

const matches = (pattern: string, text: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`).test(text)
}

/** True where the whole text matches one of the patterns. */
export const isAllowed = (text: string, patterns: readonly string[]): boolean =>
  patterns.length === 0 || patterns.some((pattern) => matches(pattern, text))
