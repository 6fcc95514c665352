/** The manifests of `examples/`, as they stand or pointed at the servers of a test. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isTestFile, readManifests } from '../../cli/manifests.ts'
import { root } from './install.ts'
import type { Manifest } from './kubectl.ts'

const directory = join(root, 'examples')

/** Names of the files a person would copy. */
export const exampleFiles = (): string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.yaml') && !isTestFile(name))

export async function example(file: string): Promise<Manifest[]> {
  return (await readManifests(join(directory, file))).map(({ object }) => object as unknown as Manifest)
}

type Fields = Readonly<Record<string, unknown>>

export interface Servers {
  /** What is different in the fields of a connector, by its name. */
  readonly connectors: Readonly<Record<string, Fields>>
  /** Data of the Secrets, by key. */
  readonly secretData: Readonly<Record<string, string>>
}

/** The same objects with the addresses and Secret data of a test. Everything else stays as a person would apply it. */
export const pointedAt = (objects: readonly Manifest[], servers: Servers): Manifest[] =>
  objects.map((object) =>
    object.kind === 'Secret'
      ? { ...object, stringData: filled(object['stringData'] as Fields, servers.secretData) }
      : (replaced(object, servers.connectors) as Manifest),
  )

const filled = (data: Fields, values: Readonly<Record<string, string>>): Fields =>
  Object.fromEntries(
    Object.keys(data).map((key) => {
      if (values[key] === undefined) throw new Error(`the test has no value for the Secret key ${key}`)
      return [key, values[key]]
    }),
  )

function replaced(value: unknown, connectors: Servers['connectors']): unknown {
  if (Array.isArray(value)) return value.map((item) => replaced(item, connectors))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => {
    const different = connectors[name]
    return [name, different === undefined ? replaced(field, connectors) : { ...(field as Fields), ...different }]
  })
  return Object.fromEntries(fields)
}
