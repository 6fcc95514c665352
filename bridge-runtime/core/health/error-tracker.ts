import { type BridgeError, disconnects } from '../errors.ts'

export type Component = 'source' | 'transform' | 'sink' | 'deadLetter' | 'checkpoint'

/** An error that lasts: nothing has succeeded at that place since. Times are milliseconds since the epoch. */
export interface LastingError {
  readonly component: Component
  readonly error: BridgeError
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
  /** It keeps records from passing: all of the component's, or those of a partition. */
  readonly disconnects: boolean
}

/** Places that speak for the whole source: a gap there is in all that it reads. */
const wholeSource: ReadonlySet<string> = new Set(['run', 'connection'])

/** What keeps records from passing is told before what does not; then the newer. */
const outweighs = (one: LastingError, other: LastingError): boolean =>
  one.disconnects === other.disconnects ? one.lastAt >= other.lastAt : one.disconnects

/**
 * Until its stack is asked for an error holds the frames it was made in, and with them what they worked on: a batch of records. One
 * that is kept must not keep that.
 */
function withoutFrames(error: unknown): void {
  for (let each = error; each instanceof Error; each = each.cause) void each.stack
}

/** The same reason again at the same place counts on. */
function lastingError(
  at: { readonly component: Component; readonly place: string },
  error: BridgeError,
  known: LastingError | undefined,
  now: number,
): LastingError {
  const same = known?.error.reason === error.reason ? known : undefined
  return {
    component: at.component,
    error,
    count: (same?.count ?? 0) + 1,
    firstAt: same?.firstAt ?? now,
    lastAt: now,
    disconnects: disconnects(error) || (error.reason === 'DataGap' && wholeSource.has(at.place)),
  }
}

/**
 * What fails right now. Each place that can fail on its own (a lane, a partition's poll, the connection) has a name, so
 * that one place's success does not hide another's failure.
 */
export class ErrorTracker {
  readonly #places = new Map<string, LastingError>()
  /** Of each component that fails: with many partitions and lanes it is asked for much more often than it changes. */
  readonly #newest = new Map<Component, LastingError>()
  readonly #now: () => number
  readonly #onChange: (component: Component, error: BridgeError | undefined) => void

  /** @param onChange called when a component begins to fail, fails for another reason, or works again */
  constructor(now: () => number, onChange: (component: Component, error: BridgeError | undefined) => void) {
    this.#now = now
    this.#onChange = onChange
  }

  failed(component: Component, place: string, error: BridgeError): void {
    withoutFrames(error)
    const key = `${component} ${place}`
    const known = this.#places.get(key)
    const before = this.newest(component)
    const lasting = lastingError({ component, place }, error, known, this.#now())
    this.#places.set(key, lasting)
    if (before === undefined || outweighs(lasting, before)) this.#newest.set(component, lasting)
    else if (before === known) this.#newest.set(component, this.#first(component) ?? lasting)
    // What another failure outweighs is news once, not each time.
    const isNews = lasting.count === 1 || this.newest(component) === lasting
    if (isNews && before?.error.reason !== error.reason) this.#onChange(component, error)
  }

  worked(component: Component, place: string): void {
    const key = `${component} ${place}`
    const gone = this.#places.get(key)
    if (gone === undefined) return
    this.#places.delete(key)
    if (gone !== this.#newest.get(component)) return
    const next = this.#first(component)
    if (next !== undefined) return void this.#newest.set(component, next)
    this.#newest.delete(component)
    this.#onChange(component, undefined)
  }

  /** Forgets every place whose name begins so: its partition is gone. */
  forget(placePrefix: string): void {
    for (const [key, { component }] of this.#places) {
      const place = key.slice(component.length + 1)
      if (place.startsWith(placePrefix)) this.worked(component, place)
    }
  }

  /** The newest error that keeps records from passing; where there is none, the newest of the others. */
  newest(component: Component): LastingError | undefined {
    return this.#newest.get(component)
  }

  #first(component: Component): LastingError | undefined {
    let first: LastingError | undefined
    for (const entry of this.#places.values())
      if (entry.component === component && (first === undefined || outweighs(entry, first))) first = entry
    return first
  }

  /** True while an error of the component lasts that keeps records from passing. */
  disconnected(component: Component): boolean {
    return this.newest(component)?.disconnects === true
  }

  /** One lasting error of each component. */
  all(): readonly LastingError[] {
    const components: readonly Component[] = ['source', 'transform', 'sink', 'deadLetter', 'checkpoint']
    return components.flatMap((component) => this.newest(component) ?? [])
  }
}
