/** How many replicas the load needs, judged at one moment. */
import type { KnownLoad } from './load.ts'

/** Below this share of time with work, more replicas do not help. */
export const busyThreshold = 0.5
/** Milliseconds: time constant of the moving average of a replica's capacity. */
const capacityMemory = 60_000
/** Milliseconds: the change of the lag is measured over at least the runtime's own averaging time. */
const slopeAge = 8_000
const slopeMaxAge = 30_000

export interface LagSample {
  readonly at: number
  readonly records: number | undefined
  readonly seconds: number | undefined
}

/** What is known about the bridge from watching it. Times are milliseconds on the monotonic clock. */
export interface Measurements {
  /** Records per second that one replica moves at full work; undefined until one was seen there. */
  readonly capacity: number | undefined
  readonly measuredAt: number | undefined
  readonly lags: readonly LagSample[]
}

export const noMeasurements: Measurements = { capacity: undefined, measuredAt: undefined, lags: [] }

function capacityAfter(before: Measurements, load: KnownLoad, replicas: number, now: number): number | undefined {
  const { capacities } = load
  const mean = capacities.reduce((total, rate) => total + rate, 0) / capacities.length
  const { capacity, measuredAt } = before
  if (capacities.length > 0 && capacity === undefined) return mean
  if (capacity === undefined) return undefined
  const weight = 1 - Math.exp(-Math.max(0, now - (measuredAt ?? now)) / capacityMemory)
  const average = capacities.length > 0 ? capacity + weight * (mean - capacity) : capacity
  // A replica that moved so many can move so many, also when it was not busy all the time.
  return Math.max(average, capacities.length > 0 ? 0 : load.outPerSecond / replicas)
}

/** Takes one more load into account. */
export function measure(before: Measurements, load: KnownLoad, replicas: number, now: number): Measurements {
  const sample = { at: now, records: load.lagRecords, seconds: load.lagSeconds }
  const recent = before.lags.filter(({ at }) => now - at <= slopeMaxAge)
  return {
    capacity: capacityAfter(before, load, replicas, now),
    measuredAt: now,
    lags: load.complete ? [...recent, sample] : [],
  }
}

/** Change of the lag per second; 0 until it can be told. */
function slope(lags: readonly LagSample[], of: (sample: LagSample) => number | undefined): number {
  const newest = lags.at(-1)
  const before = newest && lags.findLast(({ at }) => newest.at - at >= slopeAge)
  const to = newest && of(newest)
  const from = before && of(before)
  if (newest === undefined || before === undefined || to === undefined || from === undefined) return 0
  return ((to - from) * 1_000) / (newest.at - before.at)
}

export interface NeedInput {
  readonly load: KnownLoad
  readonly measured: Measurements
  readonly current: number
  /** Seconds in which the lag should be worked off. */
  readonly drainSeconds: number
  /** Share, 0 to 1. */
  readonly tolerance: number
}

/** No replica was ever at full work: one fewer, if the others then are not busy all the time. Their capacity is measured then. */
function withoutCapacity({ load, current, drainSeconds, tolerance }: NeedInput): number {
  const soonDone = (load.lagRecords ?? 0) <= load.outPerSecond * drainSeconds * (1 - tolerance)
  const after = current > 1 ? (load.utilisation * current) / (current - 1) : Infinity
  return soonDone && after <= 1 - tolerance ? current - 1 : current
}

/** Replicas for so many records per second: the present ones inside the tolerance, or where the capacity is unknown. */
function forRate(rate: number, input: NeedInput): number {
  const { load, measured, current, tolerance } = input
  const { capacity } = measured
  if (capacity === undefined || capacity <= 0) return withoutCapacity(input)
  const use = rate / (current * capacity)
  if (use > 1 + tolerance) return load.utilisation >= busyThreshold ? Math.ceil(rate / capacity) : current
  if (use >= 1 - tolerance) return current
  // Half the tolerance stays free, so that what is left does not call for more at once.
  return Math.min(current, Math.max(1, Math.ceil(rate / (capacity * (1 - tolerance / 2)))))
}

/** For sources that report only time: in proportion to the lag, unless it shrinks fast enough already. */
function forSeconds(seconds: number, input: NeedInput): number {
  const { load, measured, current, drainSeconds, tolerance } = input
  if (seconds <= drainSeconds * (1 - tolerance)) return Math.min(current, forRate(load.inPerSecond, input))
  if (seconds <= drainSeconds * (1 + tolerance)) return current
  const shrinks = -slope(measured.lags, (sample) => sample.seconds)
  if (shrinks > 0 && seconds / shrinks <= drainSeconds) return current
  return Math.ceil((current * seconds) / drainSeconds)
}

/** Replicas that would keep up and work the lag off in time; at least 1. */
export function replicasNeeded(input: NeedInput): number {
  const { load, measured, drainSeconds } = input
  if (load.lagRecords === undefined) return forSeconds(load.lagSeconds ?? 0, input)
  const arriving = Math.max(0, load.inPerSecond + slope(measured.lags, (sample) => sample.records))
  return forRate(arriving + load.lagRecords / drainSeconds, input)
}
