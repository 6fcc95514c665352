/** The manifests of `examples/`: as they stand, with the addresses and the Secret data of local servers. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isStreamBridge, isTestFile, readManifests } from '../../cli/manifests.ts'
import { type StreamBridgeSpec, streamBridge } from '../../crds/schema/streambridge.ts'
import type { Broker } from '../support/ends/brokers.ts'
import type { End } from '../support/ends/end.ts'
import type { Manifest } from '../support/run-bridge.ts'

const directory = join(import.meta.dirname, '../../examples')

/** Names of the files that a person would copy. */
export const exampleFiles = (): string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.yaml') && !isTestFile(name))

/** What stands above the objects. */
export const commentOf = (file: string): string => readFileSync(join(directory, file), 'utf8').split(/^(?!#)/m)[0] ?? ''

export interface Example {
  readonly file: string
  readonly name: string
  readonly spec: StreamBridgeSpec
  readonly manifests: readonly Manifest[]
}

export async function readExample(file: string): Promise<Example> {
  const manifests = await readManifests(join(directory, file))
  const [bridge] = manifests.filter(isStreamBridge)
  const { metadata, spec } = streamBridge.parse(bridge?.object)
  return { file, name: metadata.name, spec, manifests: manifests.map(({ object }) => object as Manifest) }
}

type Fields = Readonly<Record<string, unknown>>

export interface Servers {
  /** What is different in the fields of the connector: an undefined one is left out. */
  readonly source?: Fields
  readonly sink?: Fields
  readonly deadLetter?: Fields
  /** Data of the Secrets, by key: one for each. */
  readonly secrets?: Readonly<Record<string, string>>
  /** What else a test has to say in the spec, to see in seconds what takes minutes. */
  readonly spec?: Fields
}

/** The same objects at other servers. Everything else stays as a person would apply it. */
export const pointedAt = ({ manifests }: Example, servers: Servers): Manifest[] =>
  manifests.map((manifest) => {
    if (manifest.kind === 'Secret')
      return { ...manifest, stringData: filled(manifest['stringData'] as Fields, servers.secrets ?? {}) }
    if (manifest.kind !== 'StreamBridge') return manifest
    return { ...manifest, spec: moved(manifest['spec'] as Fields, servers) }
  })

function filled(data: Fields, values: Readonly<Record<string, string>>): Fields {
  for (const key of Object.keys(data))
    if (values[key] === undefined) throw new Error(`no value for the Secret key ${key}`)
  return Object.fromEntries(Object.keys(data).map((key) => [key, values[key]]))
}

function moved(spec: Fields, { source = {}, sink = {}, deadLetter, spec: more = {} }: Servers): Fields {
  const delivery = spec['delivery'] as Fields | undefined
  return {
    ...spec,
    source: overlaid(spec['source'] as Fields, source),
    sink: overlaid(spec['sink'] as Fields, sink),
    ...(delivery !== undefined &&
      deadLetter !== undefined && {
        delivery: { ...delivery, deadLetter: overlaid(delivery['deadLetter'] as Fields, deadLetter) },
      }),
    ...more,
  }
}

/** The one connector of an end, with the fields over its own. */
function overlaid(end: Fields, fields: Fields): Fields {
  const [connector = ''] = Object.keys(end)
  return { [connector]: { ...(end[connector] as Fields), ...fields } }
}

export const brokerOf = (end: object): Broker => Object.keys(end)[0] as Broker

/**
 * Where a local end is, without its credentials: an example has its own way to give them. The Pub/Sub emulator takes none, and
 * none are sent over plain text.
 */
export function addressOf(end: End, role: 'source' | 'sink'): Fields {
  const { auth: _auth, ...fields } = Object.values(end[role])[0] as Fields
  return brokerOf(end[role]) === 'pubsub' ? { ...fields, auth: undefined } : fields
}

/** What the local servers want to see in the Secrets of the examples. */
export function secretsOf(ends: readonly End[]): Record<string, string> {
  const connectionString = ends.map(({ secrets }) => secrets['azure']?.['connection-string']).find(Boolean) ?? ''
  const aws = ends.map(({ secrets }) => secrets['aws']).find(Boolean)
  return {
    'access-key-id': aws?.['id'] ?? '',
    'secret-access-key': aws?.['secret'] ?? '',
    'connection-string': connectionString,
    source: connectionString,
    sink: connectionString,
    'key.json': '{}',
  }
}
