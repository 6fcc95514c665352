/**
 * Acknowledgements and lease extensions: gathered into requests, repeated while that makes sense, their outcome known for
 * each message.
 */
import { type BackoffSettings, backoff } from '../../../core/backoff.ts'
import type { Clock } from '../../../core/clock.ts'
import { asBridgeError, type BridgeError } from '../../../core/errors.ts'
import type { Connection } from '../connection.ts'
import type { Doing } from '../errors.ts'
import { failuresById } from '../error-info.ts'
import type { Held } from '../held/inventory.ts'

export interface LeasesOptions {
  readonly connection: Pick<Connection, 'call'>
  readonly subscription: string
  readonly clock: Clock
  readonly random: () => number
  /** So much does not wait for more: the service may be waiting for it, to send what comes next. */
  readonly enough: { readonly messages: number; readonly bytes: number }
  /** The service took these acknowledgements, and will never take those. */
  answered(taken: readonly Held[], refused: readonly Held[]): void
  /** Acknowledging fails, or works again. */
  failing(error: BridgeError | undefined): void
}

/** A request may have 512 KiB. */
const maxIds = 2_500
const maxIdBytes = 480_000
const maxRequests = 4
/**
 * Milliseconds between two acknowledging requests of few messages, the first of which goes at once. A request costs about as
 * much as one to the sink, and what is not acknowledged when the process is killed is delivered again.
 */
const interval = 100
/** Milliseconds; a lease is not much longer. */
const timeout = 10_000
const repeats: BackoffSettings = { initial: 100, max: 5_000 }

interface Outcome {
  readonly lost: readonly Held[]
  readonly again: readonly Held[]
  readonly error: BridgeError | undefined
}

export class Leases {
  readonly #options: LeasesOptions
  readonly #doing: Doing
  readonly #queue: Held[] = []
  readonly #stopped = new AbortController()
  #requests = 0
  #scheduled = false
  #waiting = false
  #flushing = false
  /** Settled since the last request. */
  #messages = 0
  #bytes = 0
  /** Monotonic milliseconds before which few messages are not acknowledged. */
  #next = 0
  #failures = 0
  #pause: Promise<void> | undefined
  #idle: (() => void)[] = []

  constructor(options: LeasesOptions) {
    this.#options = options
    this.#doing = {
      permission: 'pubsub.subscriptions.consume',
      role: 'roles/pubsub.subscriber',
      target: `subscription ${options.subscription}`,
    }
  }

  /** Acknowledges, repeating until the service answers or `close`. */
  acknowledge(held: readonly Held[]): void {
    for (const each of held) {
      this.#queue.push(each)
      this.#messages += 1
      this.#bytes += each.bytes
    }
    this.#schedule()
  }

  /** Acknowledges by id what is not held: once, without repeating, since it comes again if that fails. */
  acknowledgeOnce(ackIds: readonly string[]): void {
    for (let from = 0; from < ackIds.length; from += 1_000) {
      const request = { subscription: this.#options.subscription, ackIds: ackIds.slice(from, from + 1_000) }
      this.#options.connection.call('acknowledge', request, this.#doing, { timeout }).catch(() => undefined)
    }
  }

  /** Resolves when everything given to `acknowledge` is confirmed, or the signal aborts. */
  async flushed(signal: AbortSignal): Promise<void> {
    this.#flushing = true
    this.#schedule()
    while ((this.#queue.length > 0 || this.#requests > 0) && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
  }

  /**
   * Holds messages for so many seconds more; 0 gives them back.
   * @returns those that are held now, those whose lease is lost, and the rest, of which nothing is known
   */
  async extend(held: readonly Held[], seconds: number): Promise<{ held: Held[]; lost: Held[] }> {
    const kept: Held[] = []
    const lost: Held[] = []
    const run = async (part: readonly Held[]): Promise<void> => {
      const outcome = await this.#send('modifyAckDeadline', part, { ackDeadlineSeconds: seconds })
      lost.push(...outcome.lost)
      const not = new Set([...outcome.lost, ...outcome.again])
      kept.push(...part.filter((each) => !not.has(each)))
    }
    const parts: Held[][] = []
    for (let rest = [...held]; rest.length > 0; ) parts.push(load(rest))
    await Promise.all(parts.map(run))
    return { held: kept, lost }
  }

  close(): void {
    this.#stopped.abort()
  }

  /** After the present turn, so that what is settled together is acknowledged together, and not too often. */
  #schedule(): void {
    if (this.#scheduled || this.#pause !== undefined) return
    const early = this.#next - this.#options.clock.monotonic()
    if (early > 0 && !this.#pressing()) return this.#wait(early)
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      while (this.#queue.length > 0 && this.#requests < maxRequests && !this.#stopped.signal.aborted)
        void this.#acknowledgeNext()
    })
  }

  #pressing(): boolean {
    const { messages, bytes } = this.#options.enough
    return this.#flushing || this.#messages >= messages || this.#bytes >= bytes
  }

  #wait(milliseconds: number): void {
    if (this.#waiting) return
    this.#waiting = true
    void this.#options.clock.sleep(milliseconds, this.#stopped.signal).then(() => {
      this.#waiting = false
      if (this.#queue.length > 0) this.#schedule()
    })
  }

  async #acknowledgeNext(): Promise<void> {
    this.#requests += 1
    this.#next = this.#options.clock.monotonic() + interval
    this.#messages = 0
    this.#bytes = 0
    const part = load(this.#queue)
    const { again, lost, error } = await this.#send('acknowledge', part, {})
    this.#requests -= 1
    const not = new Set([...again, ...lost])
    this.#options.answered(not.size === 0 ? part : part.filter((each) => !not.has(each)), lost)
    this.#options.failing(again.length > 0 ? error : undefined)
    if (again.length === 0) this.#failures = 0
    else {
      this.#queue.unshift(...again)
      this.#rest()
    }
    if (this.#queue.length > 0) this.#schedule()
    else if (this.#requests === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #rest(): void {
    const { clock, random } = this.#options
    this.#pause ??= clock.sleep(backoff(repeats, this.#failures, random), this.#stopped.signal).then(() => {
      this.#pause = undefined
      this.#schedule()
    })
    this.#failures += 1
  }

  /** Never rejects. */
  async #send(method: string, part: readonly Held[], more: object): Promise<Outcome> {
    const { connection, subscription } = this.#options
    try {
      const request = { subscription, ackIds: part.map(({ ackId }) => ackId), ...more }
      await connection.call(method, request, this.#doing, { timeout })
      return { lost: [], again: [], error: undefined }
    } catch (thrown) {
      return judged(part, asBridgeError(thrown))
    }
  }
}

function judged(part: readonly Held[], error: BridgeError): Outcome {
  const failures = failuresById(error)
  if (failures.size === 0) return { lost: [], again: part, error }
  const lost: Held[] = []
  const again: Held[] = []
  for (const held of part) {
    const failure = failures.get(held.ackId)
    if (failure?.startsWith('TRANSIENT_') === true) again.push(held)
    else if (failure !== undefined) lost.push(held)
  }
  return { lost, again, error }
}

/** Takes from the front what one request may hold. */
function load(queue: Held[]): Held[] {
  let count = 0
  for (let bytes = 0; count < queue.length && count < maxIds; count += 1) {
    bytes += (queue[count]?.ackId.length ?? 0) + 4
    if (bytes > maxIdBytes && count > 0) break
  }
  return queue.splice(0, count)
}
