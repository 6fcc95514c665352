/**
 * Writes docs/guides/status.md from what kubectl really prints: `node test/e2e/status-guide.ts`, with the same environment as
 * the end-to-end tests. The operator is installed by it and removed at the end.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTopic } from '../support/kafka.ts'
import { testRun } from '../support/verifier.ts'
import { buildImage, installChart, root, uninstallChart } from './install.ts'
import { apply, type Bridge, find, kubectl, type Manifest, restrictedNamespace, until } from './kubectl.ts'
import { readSettings } from './settings.ts'
import { type KafkaAndKinesis, kafkaAndKinesis } from './kafka-kinesis.ts'
import { kafkaSender, produce } from './traffic.ts'

interface Case {
  readonly title: string
  /** What a person learns from it. */
  readonly about: string
  readonly bridge: Manifest
  readonly shown: (bridge: Bridge) => boolean
}

const namespace = 'shop'

const bridge = (name: string, spec: object): Manifest => ({
  apiVersion: 'streambridge.dev/v1alpha1',
  kind: 'StreamBridge',
  metadata: { name, namespace },
  spec,
})

const secret = (name: string, stringData: Record<string, string>): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  stringData,
})

const condition = (object: Bridge, type: string): string | undefined => {
  const found = object.status?.conditions?.find((one) => one.type === type)
  return found && `${found.status}/${found.reason}`
}

function cases({ kafka, kinesis }: KafkaAndKinesis): Case[] {
  const secure = (name: string): object => ({
    bootstrapServers: [kafka.addresses['sasl-tls']],
    topics: ['orders'],
    tls: { caSecretRef: { name: 'orders-kafka', key: 'ca.crt' } },
    sasl: {
      mechanism: 'SCRAM-SHA-512',
      usernameSecretRef: { name: 'orders-kafka', key: 'username' },
      passwordSecretRef: { name, key: 'password' },
    },
  })
  const plain = (topic: string): object => ({ bootstrapServers: [kafka.bootstrapServers], topics: [topic] })
  const key = (field: string) => ({ name: 'orders-aws', key: field })
  const auth = { accessKeyIdSecretRef: key('access-key-id'), secretAccessKeySecretRef: key('secret-access-key') }
  const stream = { kinesis: { streamName: 'orders', region: kinesis.region, endpoint: kinesis.endpoint, auth } }
  return [
    {
      title: 'Healthy',
      about: 'Records can flow now. `LAG` is how far behind the end the bridge is.',
      bridge: bridge('orders', { source: { kafka: secure('orders-kafka') }, sink: stream }),
      shown: (object) => condition(object, 'Ready')?.startsWith('True') ?? false,
    },
    {
      title: 'Lagging',
      about: 'More comes in than goes out. It works, so `READY` is still `True`; the lag says how much is left to do.',
      bridge: bridge('backlog', {
        source: { kafka: plain('backlog') },
        sink: stream,
        scaling: { mode: 'Lag', maxReplicas: 3, targetDrain: '10s', scaleUp: { stabilization: '5s', cooldown: '20s' } },
      }),
      shown: (object) => object.status?.readyReplicas === 3 && condition(object, 'Ready') === 'True/Flowing',
    },
    {
      title: 'Wrong password',
      about: 'The broker refuses the login. Correct the Secret: the pods are replaced within a minute.',
      bridge: bridge('wrong-password', { source: { kafka: secure('orders-kafka-old') }, sink: stream }),
      shown: (object) => condition(object, 'SourceConnected')?.startsWith('False') ?? false,
    },
    {
      title: 'A key of a Secret is missing',
      about: 'No pod is started until it is there.',
      bridge: bridge('missing-key', { source: { kafka: secure('orders-empty') }, sink: stream }),
      shown: (object) => condition(object, 'CredentialsResolved')?.startsWith('False') ?? false,
    },
    {
      title: 'The topic does not exist',
      about: 'The bridge looks again by itself and goes on once the topic is made.',
      bridge: bridge('missing-topic', { source: { kafka: plain('no-such-topic') }, sink: stream }),
      shown: (object) => condition(object, 'SourceConnected')?.startsWith('False') ?? false,
    },
    {
      title: 'Paused',
      about: 'Stopped on purpose, at no replicas; the position is kept.',
      bridge: bridge('paused', {
        source: { kafka: plain('orders') },
        sink: stream,
        lifecycle: { desiredState: 'Paused' },
      }),
      shown: ({ status }) => status?.phase === 'Paused',
    },
    {
      title: 'Scaled to zero',
      about: 'Nothing to do, so nothing runs. One replica is started now and then to look.',
      bridge: bridge('idle', {
        source: { kafka: plain('quiet') },
        sink: stream,
        scaling: {
          mode: 'Lag',
          minReplicas: 0,
          scaleDown: { stabilization: '5s', cooldown: '5s' },
          scaleToZero: { idle: '10s', probe: '10m' },
        },
      }),
      shown: ({ status }) => status?.phase === 'Idle',
    },
  ]
}

/** Without the parts a person wrote himself: metadata and spec. */
function shortened(describe: string): string {
  const lines = describe.trimEnd().split('\n')
  const status = lines.findIndex((line) => line.startsWith('Status:'))
  return [...lines.slice(0, 2), '...', ...lines.slice(status)].join('\n')
}

interface Shown {
  readonly get: string
  readonly describe: string
}

/** What both commands print of one and the same status. */
async function capture(name: string, tries = 20): Promise<Shown> {
  const version = () =>
    kubectl('get', 'sbr', name, '--namespace', namespace, '--output=jsonpath={.metadata.resourceVersion}')
  const before = await version()
  const get = await kubectl('get', 'sbr', name, '--namespace', namespace)
  const describe = shortened(await kubectl('describe', 'sbr', name, '--namespace', namespace))
  return before === (await version()) || tries === 0 ? { get, describe } : capture(name, tries - 1)
}

async function section({ title, about, bridge: { metadata }, shown }: Case): Promise<string> {
  const { name } = metadata
  await until(
    title,
    240,
    () => find<Bridge>('sbr', namespace, name),
    (object) => object !== undefined && shown(object),
  )
  const fence = (command: string, output: string): string => `\`\`\`\n$ ${command}\n${output.trimEnd()}\n\`\`\`\n`
  const { get, describe } = await capture(name)
  console.log(`${title}\n${get}`)
  return `## ${title}\n\n${about}\n\n${fence(`kubectl get sbr ${name}`, get)}\n${fence(`kubectl describe sbr ${name}`, describe)}`
}

const head = `# Status

What \`kubectl get sbr\` and \`kubectl describe sbr\` say in each case. Captured from a real cluster by test/e2e/status-guide.ts; of
\`describe\` the metadata and the spec are left out. The conditions and their reasons are listed in
[the reference](../reference/conditions.md).
`

async function fill({ kafka, username, password }: KafkaAndKinesis): Promise<void> {
  for (const topic of ['backlog', 'quiet']) await createTopic(kafka.bootstrapServers, topic, { partitions: 6 })
  const sender = await kafkaSender(kafka.bootstrapServers, 'backlog')
  const records = 300_000
  await produce(testRun({ run: 'backlog', keys: 256 }), { records, rate: () => 40_000 }, sender.send)
  await sender.close()
  await restrictedNamespace(namespace)
  await apply(namespace, [
    secret('orders-kafka', { username, password: password(), 'ca.crt': kafka.authority?.ca ?? '' }),
    secret('orders-kafka-old', { password: 'the-password-of-last-year' }),
    secret('orders-empty', { user: 'x' }),
    secret('orders-aws', { 'access-key-id': 'a', 'secret-access-key': 'b' }),
  ])
}

const settings = readSettings(process.env)
const [stage] = await Promise.all([kafkaAndKinesis(settings.host, () => randomUUID()), buildImage(settings)])
try {
  await installChart(settings)
  await fill(stage)
  const all = cases(stage)
  await apply(
    namespace,
    all.map((one) => one.bridge),
  )
  const sections: string[] = []
  for (const one of all) sections.push(await section(one))
  const overview = await kubectl('get', 'sbr', '--namespace', namespace)
  writeFileSync(
    join(root, 'docs/guides/status.md'),
    `${head}\n\`\`\`\n$ kubectl get sbr\n${overview.trimEnd()}\n\`\`\`\n\n${sections.join('\n')}`,
  )
} finally {
  if (!settings.keep) {
    await kubectl('delete', 'namespace', namespace, '--ignore-not-found')
    await uninstallChart()
  }
  await stage.stop()
}
