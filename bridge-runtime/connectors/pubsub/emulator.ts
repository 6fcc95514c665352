/**
 * Google's emulator keeps the order of a key through lapsed leases only where single Pull requests take the messages: then it
 * gives no message of a key while earlier ones of it are out. Over streams it goes on with later messages behind the back of
 * a reader that is gone, and what is given back comes behind them. So an emulator is told apart, and asked in its own way.
 */
import { type BackoffSettings, backoff } from '../../core/backoff.ts'
import { asBridgeError } from '../../core/errors.ts'
import type { Connection, PullResponse } from './connection.ts'
import type { Pull, PullingOptions } from './pulling.ts'

/** Milliseconds. */
const patience = 5_000

/** Whether Google's emulator serves a plain-text endpoint: it says `Ok` to a plain GET, which a gRPC service does not understand. */
export async function isEmulator({
  endpoint,
  plainText,
}: Pick<Connection, 'endpoint' | 'plainText'>): Promise<boolean> {
  if (!plainText || endpoint === undefined) return false
  try {
    const answer = await fetch(endpoint, { signal: AbortSignal.timeout(patience) })
    return answer.ok && (await answer.text()).trim() === 'Ok'
  } catch {
    return false
  }
}

/** Most messages of one request. The emulator gives a hundred. */
const maxMessages = 1_000
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
    while (!signal.aborted) {
      await this.#waiting
      if (signal.aborted) return
      try {
        const messages = await this.#pull()
        failures = 0
        failing(undefined)
        if (messages === 0) await clock.sleep(idle, signal)
      } catch (thrown) {
        failing(asBridgeError(thrown))
        await clock.sleep(backoff(repeats, failures++, random), signal)
      }
    }
  }

  async #pull(): Promise<number> {
    const { connection, subscription, lease, received } = this.#options
    const doing = {
      permission: 'pubsub.subscriptions.consume',
      role: 'roles/pubsub.subscriber',
      target: `subscription ${subscription}`,
    }
    const asked = { subscription, maxMessages, returnImmediately: true }
    const response = await connection.call<PullResponse>('pull', asked, doing)
    const ackIds = (response.receivedMessages ?? []).flatMap(({ ackId }) => ackId ?? [])
    if (ackIds.length === 0) return 0
    received(response)
    await connection.call('modifyAckDeadline', { subscription, ackIds, ackDeadlineSeconds: lease }, doing)
    return ackIds.length
  }
}
