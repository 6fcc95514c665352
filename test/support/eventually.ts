import { inspect } from 'node:util'

export interface EventuallyOptions {
  /** Milliseconds after which it gives up. Default 30,000: a limit for a broken test, not a promise about speed. */
  readonly within?: number
  /** Milliseconds between two looks. Default 50. */
  readonly every?: number
}

type Present<T> = Exclude<T, false | null | undefined>

/**
 * Looks until the value holds, and resolves with it. Without `holds` any value but false, null and undefined will do.
 * *Errors*: after the deadline, what was awaited and the last value or error seen.
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: undefined,
  options?: EventuallyOptions,
): Promise<Present<T>>
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (value: T) => boolean,
  options?: EventuallyOptions,
): Promise<T>
export async function eventually<T>(what: string, look: () => T | Promise<T>): Promise<Present<T>>
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (value: T) => boolean = (value) => value !== false && value !== null && value !== undefined,
  { within = 30_000, every = 50 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + within
  for (;;) {
    const seen = await attempt(look)
    if ('value' in seen && holds(seen.value)) return seen.value
    if (performance.now() > deadline) {
      const last = 'value' in seen ? inspect(seen.value, { depth: 4, breakLength: 120 }) : String(seen.error)
      throw new Error(`not within ${within / 1000} s: ${what}; last seen: ${last}`)
    }
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}

async function attempt<T>(look: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await look() }
  } catch (error) {
    return { error }
  }
}
