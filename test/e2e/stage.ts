/** The servers on this machine and the two bridges between them. */
import { randomBytes } from 'node:crypto'
import { eventually } from '../support/eventually.ts'
import { runCommand } from '../support/run-command.ts'
import { createTopic, kafkaClasspath, type KafkaServer, startKafka } from '../support/kafka.ts'
import { createStream, type KinesisServer, startKinesis } from '../support/kinesis.ts'
import { apply, type Manifest, restrictedNamespace, untilCondition } from './kubectl.ts'
import { example, pointedAt } from './examples.ts'
import type { Target } from './disturbances.ts'

export interface Stage {
  readonly kafka: KafkaServer
  readonly kinesis: KinesisServer
  /** Every value that was ever in a Secret, by name. */
  readonly canaries: Record<string, string>
  readonly toKinesis: Target
  readonly toKafka: Target
  /** Changes the Kafka password, in the broker and then in the Secret's manifest, which it returns. */
  newKafkaPassword(): Promise<Manifest>
  stop(): Promise<void>
}

export const bridgeNamespace = 'streambridge-e2e'
export const shards = 6
/** Small, so that the bound on duplicates is. */
export const maxInFlightBytes = 256 * 1024

const canary = (name: string): string => `canary-${name}-${randomBytes(9).toString('hex')}`

/** Starts both servers where pods reach them, with the topics and streams of the examples. */
export async function setStage(host: string): Promise<Stage> {
  const username = canary('user')
  const canaries: Record<string, string> = {
    username,
    'password 1': canary('password'),
    'access-key-id': canary('access-key'),
    'secret-access-key': canary('secret-key'),
  }
  const [kafka, kinesis] = await Promise.all([
    startKafka({ listeners: ['sasl-tls'], users: { [username]: canaries['password 1'] ?? '' }, advertisedHost: host }),
    startKinesis({ host }),
  ])
  await Promise.all([
    topic(kafka, 'orders'),
    topic(kafka, 'clicks'),
    createStream(kinesis.endpoint, 'orders', shards),
    createStream(kinesis.endpoint, 'clicks', shards),
  ])
  let passwords = 1
  return {
    kafka,
    kinesis,
    canaries,
    toKinesis: { namespace: bridgeNamespace, bridge: 'secure-orders' },
    toKafka: { namespace: bridgeNamespace, bridge: 'clicks-to-kafka' },
    async newKafkaPassword() {
      const password = canary('password')
      canaries[`password ${++passwords}`] = password
      await setScramPassword(kafka.bootstrapServers, username, password)
      const secret = (await secureOrders({ kafka, kinesis, canaries }, password)).find(
        ({ metadata }) => metadata.name === 'orders-kafka',
      )
      if (secret === undefined) throw new Error('the example has no Secret orders-kafka')
      return secret
    },
    async stop() {
      await Promise.all([kafka.stop(), kinesis.stop()])
    },
  }
}

/** A broker may not know a topic yet that it has just made; asking again is harmless. */
const topic = (kafka: KafkaServer, name: string): Promise<boolean> =>
  eventually(`topic ${name}`, async () => {
    await createTopic(kafka.bootstrapServers, name, { partitions: shards })
    return true
  })

type Values = Pick<Stage, 'kafka' | 'kinesis' | 'canaries'>

const secureOrders = async ({ kafka, kinesis, canaries }: Values, password: string): Promise<Manifest[]> =>
  pointedAt(await example('kafka-tls-scram.yaml'), {
    kafka: kafka.addresses['sasl-tls'] ?? '',
    kinesis: { endpoint: kinesis.endpoint, region: kinesis.region },
    secretData: { ...canaries, password, 'ca.crt': kafka.authority?.ca ?? '' },
  })

const clicksToKafka = async ({ kafka, kinesis, canaries }: Values): Promise<Manifest[]> =>
  pointedAt(await example('kinesis-to-kafka.yaml'), {
    kafka: kafka.bootstrapServers,
    kinesis: { endpoint: kinesis.endpoint, region: kinesis.region },
    secretData: canaries,
  })

/** Applies the two examples, one replica each, and waits until both are ready. */
export async function applyBridges(stage: Stage): Promise<void> {
  await restrictedNamespace(bridgeNamespace)
  const objects = [...(await secureOrders(stage, stage.canaries['password 1'] ?? '')), ...(await clicksToKafka(stage))]
  await apply(bridgeNamespace, objects.map(withTestLimits))
  for (const { namespace, bridge } of [stage.toKinesis, stage.toKafka])
    await untilCondition(namespace, bridge, { type: 'Ready', status: 'True' }, 120)
}

const withTestLimits = (object: Manifest): Manifest =>
  object.kind !== 'StreamBridge'
    ? object
    : {
        ...object,
        spec: {
          ...(object['spec'] as object),
          replicas: 1,
          delivery: { maxInFlightBytes: `${maxInFlightBytes / 1024}Ki` },
          template: { resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '512Mi' } } },
        },
      }

/** The broker takes the new password from now on, and the old one no more. */
async function setScramPassword(bootstrapServers: string, user: string, password: string): Promise<void> {
  const tool = ['-XX:TieredStopAtLevel=1', '-Xmx128m', '-cp', await kafkaClasspath(), 'kafka.admin.ConfigCommand']
  const entity = ['--entity-type', 'users', '--entity-name', user]
  const change = ['--alter', '--add-config', `SCRAM-SHA-512=[password=${password}]`]
  await runCommand('java', [...tool, '--bootstrap-server', bootstrapServers, ...entity, ...change])
}
