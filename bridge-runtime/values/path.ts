/** Fields of a record by name: `value.user.id`, `headers.trace`, `timestamp`. A name with other characters stands in quotes: `value."a b"`. */
import { Unfit } from './unfit.ts'
import { isObject, nameOf, ownField, setOwn, type Value, type ValueObject } from './value.ts'

export interface Path {
  readonly text: string
  readonly root: 'value' | 'headers' | 'timestamp'
  readonly names: readonly string[]
}

/** RE2 and JavaScript alike. At most 16 names. */
export const pathForm = /^(timestamp|headers\.([A-Za-z0-9_-]+|"[^"]+")|value(\.([A-Za-z0-9_-]+|"[^"]+")){0,16})$/

export function parsePath(text: string): Path {
  if (!pathForm.test(text)) throw new TypeError(`not a path: ${text}`)
  const names = [...text.matchAll(/\.(?:"([^"]+)"|([^."]+))/g)].map(([, quoted, plain]) => (quoted ?? plain) as string)
  return { text, root: /^[a-z]+/.exec(text)?.[0] as Path['root'], names }
}

/** Of a path into the value; undefined when there is nothing. */
export function getAt(value: Value, names: readonly string[]): Value | undefined {
  let at: Value | undefined = value
  for (const name of names) {
    if (!isObject(at)) return undefined
    at = ownField(at, name)
  }
  return at
}

/** Sets a field and makes the objects on the way. Returns the whole value. */
export function setAt(value: Value, path: Path, field: Value): Value {
  const { names } = path
  const last = names.at(-1)
  if (last === undefined) return field
  const whole: Value = value ?? {}
  let at = asObject(whole, path, 0)
  for (const [depth, name] of names.slice(0, -1).entries()) {
    let next = ownField(at, name)
    if (next === undefined || next === null) {
      next = {}
      setOwn(at, name, next)
    }
    at = asObject(next, path, depth + 1)
  }
  setOwn(at, last, field)
  return whole
}

function asObject(value: Value, { text, names }: Path, depth: number): ValueObject {
  if (isObject(value)) return value
  const place = ['value', ...names.slice(0, depth)].join('.')
  throw new Unfit('NotAnObject', `${text} cannot be set: ${place} is ${nameOf(value)}`, place)
}

/** True when there was something. */
export function removeAt(value: Value, names: readonly string[]): boolean {
  const last = names.at(-1)
  const parent = last === undefined ? undefined : getAt(value, names.slice(0, -1))
  if (last === undefined || !isObject(parent) || !Object.hasOwn(parent, last)) return false
  delete parent[last]
  return true
}
