/** Lengths of time and amounts of bytes, as a person writes them. */
import { z } from 'zod'
import { docs, matching, withRules } from './rules.ts'

/** Smallest and largest value, both allowed. */
interface Bounds {
  readonly min?: string
  readonly max?: string
}

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const
const durationForm = /^([0-9]{1,8}ms|[0-9]{1,6}(s|m|h))$/

/** A length of time: a whole number and one unit, `250ms`, `30s`, `5m`, `1h`. From 1ms to 24h unless bounds are given. */
export const duration = (description: string, { min = '1ms', max = '24h' }: Bounds = {}) =>
  withRules(z.string().max(12), [
    {
      cel: `${matching(durationForm)} && duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
      message: `write a whole number and a unit (250ms, 30s, 5m, 1h), from ${min} to ${max}`,
      holds: (value) =>
        durationForm.test(value) &&
        milliseconds(value) >= milliseconds(min) &&
        milliseconds(value) <= milliseconds(max),
    },
  ]).meta({ description, [docs]: { type: 'duration', limits: `${min} to ${max}` } })

/** Milliseconds of a `duration`. */
export function milliseconds(value: string): number {
  const match = /^([0-9]+)(ms|s|m|h)$/.exec(value)
  if (match === null) throw new TypeError(`not a duration: ${value}`)
  return Number(match[1]) * units[match[2] as keyof typeof units]
}

const sizes = { '': 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 } as const
const byteSizeForm = /^[0-9]{1,12}(Ki|Mi|Gi)?$/

/** An amount of bytes: `1048576`, `512Ki`, `32Mi`, `1Gi`. From 1 to 1024Gi unless bounds are given. */
export const byteSize = (description: string, { min = '1', max = '1024Gi' }: Bounds = {}) =>
  withRules(z.string().max(16), [
    {
      cel: `${matching(byteSizeForm)} && quantity(self).compareTo(quantity('${min}')) >= 0 && quantity(self).compareTo(quantity('${max}')) <= 0`,
      message: `write bytes, or a whole number and a unit (1048576, 512Ki, 32Mi, 1Gi), from ${min} to ${max}`,
      holds: (value) => byteSizeForm.test(value) && bytes(value) >= bytes(min) && bytes(value) <= bytes(max),
    },
  ]).meta({ description, [docs]: { type: 'size', limits: `${min} to ${max}` } })

/** Bytes of a `byteSize`. */
export function bytes(value: string): number {
  const match = /^([0-9]+)(Ki|Mi|Gi|)$/.exec(value)
  if (match === null) throw new TypeError(`not a size: ${value}`)
  return Number(match[1]) * sizes[match[2] as keyof typeof sizes]
}
