/**
 * Several StreamingPulls that work as one. The service sends all messages of a key that are out over the same stream, so the
 * order of keys is that of arrival whatever the number of streams.
 */
import { randomUUID } from 'node:crypto'
import type { BridgeError } from '../../../core/errors.ts'
import { type Pull, Pulling, type PullingOptions } from './pulling.ts'

export class Streams implements Pull {
  readonly #streams: readonly Pull[]

  /** One of them that fails is a failure: the keys that the service gave it may wait. */
  constructor(count: number, options: PullingOptions) {
    const failures = new Map<number, BridgeError>()
    this.#streams = Array.from({ length: count }, (_, index) => {
      const failing = (error: BridgeError | undefined): void => {
        if (error === undefined) failures.delete(index)
        else failures.set(index, error)
        const [first] = failures.values()
        options.failing(first)
      }
      // By it the service knows this stream again when it is reopened: what it holds stays ours, keys and all. Never two streams' at once.
      const request = { ...options.request, clientId: randomUUID() }
      return new Pulling({ ...options, request, failing })
    })
  }

  pause(): void {
    for (const stream of this.#streams) stream.pause()
  }

  resume(): void {
    for (const stream of this.#streams) stream.resume()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.stop()))
  }
}
