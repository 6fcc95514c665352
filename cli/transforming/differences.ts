/** What a step changed, field by field. */
import type { Snapshot } from '../../bridge-runtime/pipeline/trace.ts'
import type { Header } from '../../bridge-runtime/core/contracts.ts'
import { writeJson } from '../../bridge-runtime/values/json.ts'
import { isObject, type Value, type ValueObject } from '../../bridge-runtime/values/value.ts'

export interface Difference {
  /** `value.user.id`, `headers.trace`, `key`, `timestamp` */
  readonly path: string
  /** As JSON; absent where there was nothing. */
  readonly before?: string
  /** Absent where there is nothing any more. */
  readonly after?: string
}

export const differences = (before: Snapshot, after: Snapshot): readonly Difference[] => [
  ...between('key', before.key, after.key),
  ...between('value', before.value, after.value),
  ...between('headers', headerMap(before.headers), headerMap(after.headers)),
  ...between('timestamp', before.timestamp, after.timestamp),
]

const headerMap = (headers: readonly Header[]): ValueObject =>
  Object.fromEntries(headers.map(({ name, value }) => [name, value === null ? null : value.toString()]))

/** As a person reads it: bytes are base64. */
export const shown = (value: Value): string =>
  value instanceof Uint8Array ? `base64:${Buffer.from(value).toString('base64')}` : writeJson(value)

function between(path: string, before: Value | undefined, after: Value | undefined): readonly Difference[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...names].flatMap((name) => between(`${path}.${quoted(name)}`, before[name], after[name]))
  }
  const [was, is] = [before, after].map((value) => (value === undefined ? undefined : shown(value)))
  if (was === is) return []
  return [{ path, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) }]
}

const quoted = (name: string): string => (/^[\w-]+$/.test(name) ? name : `"${name}"`)
