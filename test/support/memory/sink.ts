import type { BridgeRecord, Sink, SinkBatch, SinkLimits, WriteResult } from '../../../bridge-runtime/core/contracts.ts'
import { heldBack } from '../../../bridge-runtime/core/delivery/held-back.ts'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'

export interface MemorySinkOptions {
  readonly limits?: SinkLimits
  /** The error of a record at its n-th write, counted from 1; undefined stores it. */
  readonly fail?: (record: BridgeRecord, write: number) => BridgeError | undefined
  /** True when the answer to the sink's n-th request, counted from 1, is lost behind the storing: an ambiguous result. */
  readonly cut?: (request: number) => boolean
  /** Keeps nothing of a record that it refuses. */
  readonly forgetful?: boolean
  /** Awaited before a request is stored. */
  readonly gate?: () => Promise<unknown>
  /** Thrown one after the other by `open`. */
  readonly openErrors?: BridgeError[]
}

const keyOf = ({ key }: BridgeRecord): string => key?.toString('latin1') ?? ''

/**
 * Keeps what it is given, repetitions included, and fails as it is told. It keeps the contract's promise about keys, and
 * stores even what was given up meanwhile, as a real one does.
 */
export class MemorySink implements Sink {
  readonly limits: SinkLimits
  /** In the order of storing. */
  readonly stored: BridgeRecord[] = []
  /** Keys that were in two requests at once: there must never be one. */
  readonly overlaps: string[] = []
  closed = false
  readonly #options: MemorySinkOptions
  readonly #writes = new Map<BridgeRecord, number>()
  readonly #inFlight = new Set<string>()
  #requests = 0

  constructor(options: MemorySinkOptions = {}) {
    this.#options = options
    this.limits = options.limits ?? { maxRecords: 7, maxBytes: 1_000_000 }
  }

  open(): Promise<void> {
    const error = this.#options.openErrors?.shift()
    return error === undefined ? Promise.resolve() : Promise.reject(error)
  }

  async write(batch: SinkBatch): Promise<WriteResult> {
    const keys = new Set(batch.records().map((record) => `${batch.partition} ${keyOf(record)}`))
    for (const key of keys) {
      if (this.#inFlight.has(key)) this.overlaps.push(key)
      this.#inFlight.add(key)
    }
    const request = ++this.#requests
    try {
      await this.#options.gate?.()
      await new Promise((resolve) => setImmediate(resolve))
      const failures = this.#store(batch)
      if (this.#options.cut?.(request) === true)
        throw new BridgeError('the connection was lost', { kind: 'retryable', reason: 'EndpointUnreachable' })
      return failures
    } finally {
      for (const key of keys) this.#inFlight.delete(key)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }

  #store(batch: SinkBatch): WriteResult {
    const failures = new Map<number, BridgeError>()
    const blocked = new Set<string>()
    for (const [index, record] of batch.records().entries()) {
      const key = keyOf(record)
      const write = (this.#writes.get(record) ?? 0) + 1
      if (this.#options.forgetful !== true) this.#writes.set(record, write)
      const error = blocked.has(key) ? heldBack : this.#options.fail?.(record, write)
      if (error === undefined) {
        this.stored.push(record)
        continue
      }
      failures.set(index, error)
      blocked.add(key)
    }
    return failures
  }
}
