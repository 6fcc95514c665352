import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { bridgeFile } from '../crds/schema/bridge-file.ts'
import { startEmulator } from '../test/emulators/event-hubs/emulator.ts'
import { createAuthority } from '../test/support/certificates.ts'
import { everythingOf, leakOf } from '../test/support/secrets/leaks.ts'
import { mutated } from '../test/support/secrets/mutations.ts'
import { startPeers } from '../test/support/secrets/peers.ts'
import { temporaryDirectory } from '../test/support/server-process.ts'
import { createBridge } from './bridge.ts'
import { realClock } from './core/clock.ts'
import { memoryLeases } from './lease-stores/memory.ts'
import { createLogger } from './observability/logger.ts'
import { report } from './observability/report.ts'

const authority = await createAuthority(temporaryDirectory('secrets'))
const [server, client] = await Promise.all([
  authority.issue('server', ['127.0.0.1', 'localhost']),
  authority.issue('client'),
])
// Read by gRPC when it is loaded, which is when a connector first needs it.
process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'] = authority.caFile
const peers = await startPeers(server)
after(() => peers[Symbol.dispose]())
const eventHubs = await startEmulator({ hubs: [{ name: 'orders', partitions: 1 }], keys: new Map([['other', 'key']]) })
after(() => eventHubs.close())

const canary = 'C4n4ryS1ngsInTh3M1ne'
const second = 'Qz7WvXb2LmTfKd9RpYhJ'
const ref = (key: string) => ({ name: 'credentials', key })

interface Guarded {
  readonly name: string
  /** The connector's part of the manifest. */
  readonly connector: object
  /** What it needs more as a source, and as a sink. */
  readonly source: object
  readonly sink: object
  /** Key → its value where nothing is broken. */
  readonly secrets: Readonly<Record<string, string>>
  /** Key → the value with one of its parts changed, the rest as it is. */
  readonly parts?: Readonly<Record<string, readonly ((change: (part: string) => string) => string)[]>>
  /** What must not be seen. */
  readonly canaries: readonly string[]
}

type Part = (change: (part: string) => string) => string

/** The texts of a JSON object, each changed by itself. */
const leaves = (object: object): readonly Part[] =>
  Object.entries(object).flatMap(([key, value]: [string, unknown]) => {
    const rest = (changed: unknown): string => JSON.stringify({ ...object, [key]: changed })
    if (typeof value === 'string') return [(change) => rest(change(value))]
    return leaves(value as object).map(
      (part): Part =>
        (change) =>
          rest(JSON.parse(part(change))),
    )
  })

const bodyOf = (pem: string): readonly string[] => pem.split('\n').filter((line) => /^[A-Za-z0-9+/=]{8,}$/.test(line))

const kafka = (
  name: string,
  rest: Pick<Guarded, 'secrets' | 'canaries'> & { readonly connector: object },
): Guarded => ({
  source: { topics: ['orders'] },
  sink: { topic: 'orders' },
  ...rest,
  name,
  connector: { kafka: rest.connector },
})

const login = (mechanism: string): Guarded =>
  kafka(`kafka ${mechanism}`, {
    connector: {
      bootstrapServers: [`127.0.0.1:${peers.kafka}`],
      sasl: { mechanism, allowPlaintext: true, usernameSecretRef: ref('user'), passwordSecretRef: ref('password') },
    },
    secrets: { user: second, password: canary },
    canaries: [canary, second],
  })

const serviceAccount = {
  type: 'service_account',
  project_id: 'project-x',
  private_key_id: second,
  private_key: client.key,
  client_email: `${canary}@project-x.iam.gserviceaccount.com`,
  universe_domain: 'googleapis.com',
  quota_project_id: 'Fr4nc1scoQuota88',
}
const federation = {
  type: 'external_account',
  audience: `//iam.googleapis.com/${canary}`,
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: `https://127.0.0.1:1/${second}`,
  credential_source: { file: `/nowhere/N0whereT0BeFound` },
}

const pubsub = (name: string, credentials: object, canaries: readonly string[]): Guarded => ({
  name: `pubsub ${name}`,
  connector: {
    pubsub: {
      projectID: 'project-x',
      endpoint: `https://localhost:${peers.pubsub}`,
      auth: { credentialsSecretRef: ref('json') },
    },
  },
  source: { subscription: 'orders' },
  sink: { topic: 'orders' },
  secrets: { json: JSON.stringify(credentials, undefined, 2) },
  parts: { json: leaves(credentials) },
  canaries,
})

const connectionString = [
  `Endpoint=sb://127.0.0.1:${eventHubs.port}/`,
  `SharedAccessKeyName=${second}`,
  `SharedAccessKey=${canary}+/=`,
  'EntityPath=orders',
  'UseDevelopmentEmulator=true',
]

const guarded: readonly Guarded[] = [
  login('PLAIN'),
  login('SCRAM-SHA-256'),
  kafka('kafka mutual TLS', {
    connector: {
      bootstrapServers: [`localhost:${peers.kafkaTls}`],
      tls: { caSecretRef: ref('ca'), certSecretRef: ref('cert'), keySecretRef: ref('key') },
    },
    secrets: { ca: authority.ca, cert: client.cert, key: client.key },
    canaries: [authority.ca, client.cert, client.key].flatMap(bodyOf),
  }),
  {
    name: 'kinesis',
    connector: {
      kinesis: {
        region: 'eu-west-1',
        endpoint: `http://127.0.0.1:${peers.kinesis}`,
        streamName: 'orders',
        auth: {
          accessKeyIdSecretRef: ref('id'),
          secretAccessKeySecretRef: ref('secret'),
          sessionTokenSecretRef: ref('token'),
        },
      },
    },
    source: {},
    sink: {},
    secrets: { id: second, secret: canary, token: 'T0k3nOfTh3S3ss10n' },
    canaries: [second, canary, 'T0k3nOfTh3S3ss10n'],
  },
  pubsub('service account', serviceAccount, [canary, second, 'Fr4nc1scoQuota88', ...bodyOf(client.key)]),
  pubsub('federation', federation, [canary, second, 'N0whereT0BeFound']),
  {
    name: 'event hubs',
    connector: {
      eventHubs: {
        fullyQualifiedNamespace: '127.0.0.1',
        eventHubName: 'orders',
        auth: { connectionStringSecretRef: ref('cs') },
      },
    },
    source: {},
    sink: {},
    secrets: { cs: connectionString.join(';') },
    parts: {
      cs: connectionString.map((one, index) => (change) => connectionString.with(index, change(one)).join(';')),
    },
    canaries: [canary, second],
  },
]

/** Runs a bridge until its end with the Secret fails or works; all that it said. */
async function said({ connector, source, sink, secrets }: Guarded, role: 'source' | 'sink'): Promise<string> {
  const [[kind, config] = ['', {}]] = Object.entries(connector)
  const file = bridgeFile.parse({
    namespace: 'shop',
    name: 'orders',
    uid: 'uid',
    source: role === 'source' ? { [kind]: { ...config, ...source } } : { generator: { records: 1 } },
    sink: role === 'sink' ? { [kind]: { ...config, ...sink } } : { file: { path: '/dev/null' } },
    delivery: { drainTimeout: '1s', retry: { initialBackoff: '10ms', maxBackoff: '20ms' } },
    logLevel: 'debug',
  })
  const lines: string[] = []
  const engine = createBridge({
    file,
    replica: 'replica-0',
    secret: async ({ key }) => Buffer.from(secrets[key] ?? ''),
    leases: memoryLeases(),
    log: createLogger({ level: 'debug', write: (line) => lines.push(line) }),
    onWrite: () => undefined,
  })
  const stop = new AbortController()
  const ended = engine.run(stop.signal).catch((thrown: unknown) => lines.push(everythingOf(thrown)))
  const over = AbortSignal.timeout(2_000)
  const works = (): boolean => (role === 'source' ? engine.sourceConnected : engine.sinkConnected)
  while (!over.aborted && engine.errors.all().length === 0 && !works()) await realClock.sleep(5)
  const errors = engine.errors.all().map(({ error }) => everythingOf(error))
  const status = JSON.stringify(report(engine, { version: '1', replica: 'replica-0', configHash: '' }, realClock))
  stop.abort()
  await ended
  return [...errors, status, ...lines].join('\n')
}

/** What of a Secret can be broken: the whole of a key's value, or one part of it. */
const broken = ({ secrets, parts = {} }: Guarded): readonly (readonly [string, Part])[] =>
  Object.entries(secrets).flatMap(([key, value]) =>
    [(change: (part: string) => string) => change(value), ...(parts[key] ?? [])].map((part) => [key, part] as const),
  )

describe('no text that came out of a Secret is in an error, its cause, the log or the status', {
  concurrency: 4,
}, () => {
  for (const one of guarded)
    for (const role of ['source', 'sink'] as const)
      test(`${one.name} as a ${role}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.constantFrom(...broken(one)), mutated, async ([key, part], mutate) => {
            const text = await said({ ...one, secrets: { ...one.secrets, [key]: part(mutate) } }, role)
            const leaked = leakOf(one.canaries, text)
            if (leaked !== undefined) assert.fail(`"${leaked}" of key ${key} is in:\n${text}`)
          }),
          { seed: 17, numRuns: 30, endOnFailure: true },
        )
      })
})
