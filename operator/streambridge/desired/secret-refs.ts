/** Which keys of which Secrets a spec names: found by the field's name, so that a new connector changes nothing here. */

export interface SecretRef {
  readonly name: string
  readonly key: string
  /** Where it is named: `spec.source.kafka.sasl.passwordSecretRef`. */
  readonly path: string
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isRef = (field: string, value: unknown): value is { name: string; key: string } =>
  field.endsWith('SecretRef') &&
  isRecord(value) &&
  typeof value['name'] === 'string' &&
  typeof value['key'] === 'string'

/** Every `*SecretRef` below `value`, in order of appearance. `path` is where `value` itself stands. */
export function secretRefs(value: unknown, path = 'spec'): readonly SecretRef[] {
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([field, member]) => {
    const here = `${path}.${field}`
    return isRef(field, member) ? [{ name: member.name, key: member.key, path: here }] : secretRefs(member, here)
  })
}

/** The keys by Secret, each once, both in alphabetical order: the same spec always gives the same pod. */
export function keysBySecret(refs: readonly SecretRef[]): ReadonlyMap<string, readonly string[]> {
  const names = [...new Set(refs.map(({ name }) => name))].sort()
  const keysOf = (name: string): readonly string[] =>
    [...new Set(refs.filter((ref) => ref.name === name).map(({ key }) => key))].sort()
  return new Map(names.map((name) => [name, keysOf(name)]))
}
