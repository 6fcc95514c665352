/**
 * Google's emulator keeps the order of a key through lapsed leases only where single Pull requests take the messages: then it
 * gives no message of a key while earlier ones of it are out. Over streams it goes on with later messages behind the back of
 * a reader that is gone, and what is given back comes behind them. So an emulator is told apart, and asked in its own way.
 */
import { type BackoffSettings, backoff } from '../../../core/backoff.ts'
import { asBridgeError } from '../../../core/errors.ts'
import { boundedBody } from '../../requests/bounded-body.ts'
import type { Connection, PullResponse } from '../connection.ts'
import { messageBytes } from '../message.ts'
import type { Pull, PullingOptions } from './pulling.ts'

/** Milliseconds. */
const probeTimeout = 5_000
/** Bytes. */
const maxAnswerBytes = 1_000

/** Whether Google's emulator serves a plain-text endpoint: it says `Ok` to a plain GET, which a gRPC service does not understand. */
export async function isEmulator({
  endpoint,
  plainText,
}: Pick<Connection, 'endpoint' | 'plainText'>): Promise<boolean> {
  if (!plainText || endpoint === undefined) return false
  try {
    const answer = await fetch(endpoint, { signal: AbortSignal.timeout(probeTimeout) })
    return (
      answer.ok && answer.body !== null && (await boundedBody(answer.body, maxAnswerBytes)).toString().trim() === 'Ok'
    )
  } catch {
    return false
  }
}

/** Most messages of one request. The emulator gives a hundred. */
const maxMessages = 1_000
/** So many when they were too large together: of any size they fit into an answer. */
const fewer = 6
/** Bytes one answer should bring: half of what it may. */
const enoughBytes = 32 * 2 ** 20

/** How many to ask for when those before had so many bytes. */
const mostOf = (size: number): number =>
  Math.min(maxMessages, Math.max(fewer, Math.floor(enoughBytes / Math.max(1, size))))
/** Milliseconds between two requests that found nothing. */
const idle = 50
const repeats: BackoffSettings = { initial: 100, max: 5_000 }

export interface EmulatorPullingOptions extends Omit<PullingOptions, 'connection' | 'request'> {
  readonly connection: Pick<Connection, 'call'>
  /** Seconds for which messages are leased, whatever the subscription's own deadline. */
  readonly lease: number
}

/** Takes messages request by request. */
export class EmulatorPulling implements Pull {
  readonly #options: EmulatorPullingOptions
  readonly #stopped = new AbortController()
  readonly #done: Promise<void>
  #resumed: (() => void) | undefined
  #waiting: Promise<void> | undefined

  constructor(options: EmulatorPullingOptions) {
    this.#options = options
    this.#done = this.#run()
  }

  pause(): void {
    this.#waiting ??= new Promise((resolve) => {
      this.#resumed = resolve
    })
  }

  resume(): void {
    this.#resumed?.()
    this.#waiting = undefined
  }

  /** The request that is on the way is waited for: its messages are ours. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.resume()
    await this.#done
  }

  async #run(): Promise<void> {
    const { clock, random, failing } = this.#options
    const { signal } = this.#stopped
    let failures = 0
    let most = maxMessages
    while (!signal.aborted) {
      await this.#waiting
      if (signal.aborted) return
      try {
        const { messages, bytes } = await this.#pull(most)
        failures = 0
        failing(undefined)
        if (messages === 0) await clock.sleep(idle, signal)
        else most = mostOf(bytes / messages)
      } catch (thrown) {
        const error = asBridgeError(thrown)
        // What did not fit comes again when its lease is over.
        if (error.reason === 'AnswerTooLarge' && most > 1) {
          most = Math.min(fewer, Math.ceil(most / 2))
          continue
        }
        failing(error)
        await clock.sleep(backoff(repeats, failures++, random), signal)
      }
    }
  }

  async #pull(maxMessages: number): Promise<{ readonly messages: number; readonly bytes: number }> {
    const { connection, subscription, lease, received } = this.#options
    const doing = {
      permission: 'pubsub.subscriptions.consume',
      role: 'roles/pubsub.subscriber',
      target: `subscription ${subscription}`,
    }
    const asked = { subscription, maxMessages, returnImmediately: true }
    const response = await connection.call<PullResponse>('pull', asked, doing)
    const messages = response.receivedMessages ?? []
    const ackIds = messages.flatMap(({ ackId }) => ackId ?? [])
    if (ackIds.length === 0) return { messages: 0, bytes: 0 }
    const bytes = messages.reduce((sum, { message }) => sum + messageBytes(message ?? {}), 0)
    received(response)
    await connection.call('modifyAckDeadline', { subscription, ackIds, ackDeadlineSeconds: lease }, doing)
    return { messages: ackIds.length, bytes }
  }
}
