import { isObject, ownField, setOwn, type Value } from '../../values/value.ts'

/** Changes every field at this path: a list on the way stands for each of its elements. True when there was one. */
export function changeEach(
  value: Value,
  names: readonly string[],
  change: (field: Value) => Value | undefined,
): boolean {
  if (Array.isArray(value)) return value.map((element) => changeEach(element, names, change)).includes(true)
  const [name, ...rest] = names
  const field = isObject(value) && name !== undefined ? ownField(value, name) : undefined
  if (!isObject(value) || name === undefined || field === undefined) return false
  if (rest.length > 0) return changeEach(field, rest, change)
  const changed = change(field)
  if (changed === undefined) delete value[name]
  else setOwn(value, name, changed)
  return true
}
