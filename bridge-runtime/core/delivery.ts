import { backoff, type BackoffSettings } from './backoff.ts'
import type { Cargo } from './cargo.ts'
import type { Clock } from './clock.ts'
import { allDelivered, type Sink, type Stored, type WriteResult } from './contracts.ts'
import { faultOf, faultsUntilPoison, halvesOf, isEncodingFault, poisonOf } from './encoding-fault.ts'
import { asBridgeError, BridgeError } from './errors.ts'
import { type Part, partsOf, Readable } from './unreadable.ts'

/** A record that can never be delivered. */
export interface Poison {
  /** Index into the cargo it was found in. */
  readonly index: number
  readonly error: BridgeError
  /** Writes that were tried with it. */
  readonly attempts: number
}

export interface DeliveryOptions {
  readonly sink: Sink
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  /** These records of the cargo are stored. `all` spares the hot path a list. */
  delivered(cargo: Cargo, indexes: readonly number[] | 'all'): void
  /** Sets poison records aside. Resolves false when the partition must stop at them. */
  setAside(cargo: Cargo, poison: readonly Poison[]): Promise<boolean>
  /** The lane fails with this error and will try again; undefined: it works. */
  failing(error: BridgeError | undefined): void
  retried(records: number): void
}

/** `halted`: a record stopped the partition; `aborted`: the signal did. In both cases the rest is not settled. */
export type DeliveryEnd = 'delivered' | 'halted' | 'aborted'

/**
 * Writes a cargo until each of its records is delivered or set aside. Failed records are sent again in their order,
 * before anything that comes later in the lane, so a key's order survives. What the source could not read is set aside
 * in its place: what is before it is delivered first.
 */
export async function deliver(cargo: Cargo, options: DeliveryOptions, signal: AbortSignal): Promise<DeliveryEnd> {
  const { clock, random } = options
  let rest = cargo
  let faults = 0
  for (let attempt = 0; ; attempt += 1) {
    const result = await write(rest, options, signal)
    if (result === 'unreadable') return deliverParts(partsOf(rest), options, signal)
    if (signal.aborted && result.size > 0) return 'aborted'
    const { poison, again, worst } = sort(rest, result, attempt + 1)
    if (worst === undefined) options.failing(undefined)
    if (poison.length > 0 && !(await options.setAside(rest, poison))) return 'halted'
    if (again.length === 0) return 'delivered'
    if (again.length < rest.count) rest = rest.only(again)
    if (worst === undefined) continue
    options.failing(worst)
    options.retried(again.length)
    faults = isEncodingFault(worst) ? faults + 1 : 0
    if (faults > 0 && rest.count > 1) return deliverParts(halvesOf(rest), options, signal)
    if (faults === faultsUntilPoison) {
      options.failing(undefined)
      return deliverParts([{ cargo: rest, poison: poisonOf(worst), attempts: attempt + 1 }], options, signal)
    }
    await clock.sleep(backoff(options.backoff, attempt, random), signal)
    if (signal.aborted) return 'aborted'
  }
}

/** One behind the other, so that the order stays. */
async function deliverParts(
  parts: Iterable<Part>,
  options: DeliveryOptions,
  signal: AbortSignal,
): Promise<DeliveryEnd> {
  for (const { cargo: part, poison, attempts = 0 } of parts) {
    if (poison === undefined) {
      const end = await deliver(part, options, signal)
      if (end !== 'delivered') return end
    } else if (!(await options.setAside(part, [{ index: 0, error: poison, attempts }]))) return 'halted'
  }
  return 'delivered'
}

/** One write. What it delivers is settled when it returns. `unreadable`: the sink asked for a record that is poison. */
async function write(cargo: Cargo, options: DeliveryOptions, signal: AbortSignal): Promise<WriteResult | 'unreadable'> {
  if (cargo.count === 0) return allDelivered
  const early = new Set<number>()
  let over = false
  const stored: Stored = (indexes) => {
    if (over) return
    for (const index of indexes) early.add(index)
    options.delivered(
      cargo,
      indexes.toSorted((a, b) => a - b),
    )
  }
  const batch = new Readable(cargo)
  let result: WriteResult
  try {
    result = await options.sink.write(batch, signal, stored)
  } catch (thrown) {
    if (batch.refused) return 'unreadable'
    result = allFailed(thrown, cargo, early)
  }
  over = true
  if (result.size === 0 && early.size === 0) options.delivered(cargo, 'all')
  else settleRest(cargo, result, early, options)
  return result
}

function allFailed(thrown: unknown, cargo: Cargo, stored: ReadonlySet<number>): WriteResult {
  const known = faultOf(thrown) ?? asBridgeError(thrown)
  // A whole request says nothing about one record: never poison, and what was stored is unknown, so all is sent again.
  const error =
    known.kind === 'poison'
      ? new BridgeError(known.message, { kind: 'retryable', reason: known.reason, cause: known })
      : known
  const open = Array.from({ length: cargo.count }, (_, index) => index).filter((index) => !stored.has(index))
  return new Map(open.map((index) => [index, error]))
}

/** Fatal counts more than retryable: it needs a person. A record held back behind a poison one is no error of its own. */
function sort(cargo: Cargo, result: WriteResult, attempts: number) {
  const poison: Poison[] = []
  const again: number[] = []
  let worst: BridgeError | undefined
  for (let index = 0; index < cargo.count; index += 1) {
    const error = result.get(index)
    if (error === undefined) continue
    if (error.kind === 'poison') {
      poison.push({ index, error, attempts })
      continue
    }
    again.push(index)
    if (error.reason !== heldBack.reason && (worst === undefined || error.kind === 'fatal')) worst = error
  }
  return { poison, again, worst }
}

function settleRest(
  cargo: Cargo,
  result: WriteResult,
  early: ReadonlySet<number>,
  options: Pick<DeliveryOptions, 'delivered'>,
): void {
  const delivered: number[] = []
  for (let index = 0; index < cargo.count; index += 1)
    if (!result.has(index) && !early.has(index)) delivered.push(index)
  if (delivered.length > 0) options.delivered(cargo, delivered)
}

/** What a sink reports for a record that it did not send because an earlier one of its key failed. */
export const heldBack = new BridgeError('an earlier record of the same key failed', {
  kind: 'retryable',
  reason: 'HeldBack',
})
