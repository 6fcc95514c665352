/** A StreamingPull that is kept open: reopened whenever it ends, as it does in good order every half hour. */
import { status } from '@grpc/grpc-js'
import { type BackoffSettings, backoff } from '../../../core/backoff.ts'
import type { Clock } from '../../../core/clock.ts'
import type { BridgeError } from '../../../core/errors.ts'
import type { Connection, PullCall, PullRequest, PullResponse } from '../connection.ts'
import { translate } from '../errors.ts'

export interface PullingOptions {
  readonly connection: Pick<Connection, 'pull' | 'connected' | 'endpoint'> &
    Partial<Pick<Connection, 'withhold' | 'field'>>
  readonly subscription: string
  /** The first message of each stream. */
  readonly request: PullRequest
  readonly clock: Clock
  readonly random: () => number
  received(response: PullResponse): void
  /** The stream cannot be had, or it can again. */
  failing(error: BridgeError | undefined): void
}

const repeats: BackoffSettings = { initial: 100, max: 10_000 }
/** Milliseconds after which a stream that said nothing is taken for open: an error comes at once. */
const openAfter = 2_000
/** Milliseconds. A stream on which the client says nothing is ended by the service. */
const heartbeat = 30_000
/** Milliseconds for the service to end a stream in good order. */
const closeTimeout = 1_000

/** Messages that keep coming from construction on. */
export interface Pull {
  /** Reads nothing more until `resume`. */
  pause(): void
  resume(): void
  /** Ends it; what the service had sent is received still. */
  stop(): Promise<void>
}

export class Pulling implements Pull {
  readonly #options: PullingOptions
  readonly #stopped = new AbortController()
  readonly #done: Promise<void>
  #call: PullCall | undefined
  #paused = false
  #failures = 0
  /** An answer could not be read: only one that can shows that it works again. */
  #unread = false

  constructor(options: PullingOptions) {
    this.#options = options
    this.#done = this.#run()
  }

  /** What is on the way waits in the connection. */
  pause(): void {
    this.#paused = true
    this.#call?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#call?.resume()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    const { clock } = this.#options
    const call = this.#call
    if (call !== undefined) {
      call.resume()
      call.end()
      await Promise.race([this.#done, clock.sleep(closeTimeout)])
      call.cancel()
    }
    await this.#done
  }

  async #run(): Promise<void> {
    const { connection, subscription, clock, random } = this.#options
    const target = `subscription ${subscription}`
    const doing = { permission: 'pubsub.subscriptions.consume', role: 'roles/pubsub.subscriber', target }
    while (!this.#stopped.signal.aborted) {
      const worked = this.#failures === 0
      const end = await this.#once()
      if (this.#stopped.signal.aborted) return
      if (end.code === status.OK && worked) continue
      const { endpoint, field, withhold } = connection
      const error = translate(end, { ...doing, endpoint, field, withhold })
      // The service ends streams now and then; what counts is whether the next one can be had.
      if (!worked || this.#failures > 0 || error.kind === 'fatal') this.#options.failing(error)
      this.#unread ||= error.reason === 'AnswerTooLarge'
      this.#failures += 1
      await clock.sleep(backoff(repeats, this.#failures - 1, random), this.#stopped.signal)
    }
  }

  async #awaitSilence(ended: AbortSignal, up: () => void): Promise<void> {
    const { connection, clock } = this.#options
    do await clock.sleep(openAfter, ended)
    while (!ended.aborted && !connection.connected())
    if (!ended.aborted) up()
  }

  /** One stream until its end. */
  async #once(): Promise<{ readonly code: status; readonly details: string }> {
    const { connection, subscription, request } = this.#options
    const call = connection.pull(subscription)
    const ended = new AbortController()
    const up = (): void => {
      if (this.#unread) return
      this.#failures = 0
      this.#options.failing(undefined)
    }
    this.#call = call
    if (this.#paused) call.pause()
    call.once('metadata', up)
    call.on('data', (response: PullResponse) => {
      this.#unread = false
      if (this.#failures > 0) up()
      this.#options.received(response)
    })
    const end = new Promise<{ readonly code: status; readonly details: string }>((resolve) => {
      call.once('status', resolve)
      // The status says it all; without a listener an error would end the process.
      call.on('error', (error: Error & { code?: status }) =>
        resolve({ code: error.code ?? status.UNKNOWN, details: error.message }),
      )
    })
    call.write(request)
    void this.#awaitSilence(ended.signal, up)
    const beat = setInterval(() => call.writable && call.write({}), heartbeat)
    const result = await end
    clearInterval(beat)
    ended.abort()
    this.#call = undefined
    return result
  }
}
