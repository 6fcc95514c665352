/** Kafka with TLS and passwords, and Kinesis. */
import { createTopic, kafkaClasspath, type KafkaServer, startKafka } from '../support/kafka.ts'
import { createStream, type KinesisServer, startKinesis } from '../support/kinesis.ts'
import { runCommand } from '../support/run-command.ts'
import { bridgeNamespace, type Canary, type Flow, type Pair, partitions } from './flow.ts'
import { kafkaSender, kinesisSender, readKafka, readKinesis } from './traffic.ts'

export interface KafkaAndKinesis extends Pair {
  readonly kafka: KafkaServer
  readonly kinesis: KinesisServer
  readonly username: string
  /** The present one. */
  readonly password: () => string
}

/** Starts both where pods reach them, with the topics and streams of the examples. */
export async function kafkaAndKinesis(host: string, canary: Canary): Promise<KafkaAndKinesis> {
  const username = canary('kafka user')
  const aws = { 'access-key-id': canary('access key id'), 'secret-access-key': canary('secret access key') }
  let password = canary('kafka password 1')
  let passwords = 1
  const [kafka, kinesis] = await Promise.all([
    startKafka({ listeners: ['sasl-tls'], users: { [username]: password }, advertisedHost: host }),
    startKinesis({ host }),
  ])
  await Promise.all([
    createTopic(kafka.bootstrapServers, 'orders', { partitions }),
    createTopic(kafka.bootstrapServers, 'clicks', { partitions }),
    createStream(kinesis.endpoint, 'orders', partitions),
    createStream(kinesis.endpoint, 'clicks', partitions),
  ])
  const brokers = kafka.bootstrapServers
  const kinesisFields = { endpoint: kinesis.endpoint, region: kinesis.region }
  const toKinesis: Flow = {
    name: 'Kafka → Kinesis',
    example: 'kafka-tls-scram.yaml',
    target: { namespace: bridgeNamespace, bridge: 'secure-orders' },
    headers: false,
    servers: () => ({
      connectors: { kafka: { bootstrapServers: [kafka.addresses['sasl-tls']] }, kinesis: kinesisFields },
      secretData: { ...aws, username, password, 'ca.crt': kafka.authority?.ca ?? '' },
    }),
    open: async (run) => ({
      ...(await kafkaSender(brokers, 'orders')),
      read: (signal) => readKinesis(kinesis.endpoint, 'orders', run, signal),
    }),
  }
  const toKafka: Flow = {
    name: 'Kinesis → Kafka',
    example: 'kinesis-to-kafka.yaml',
    target: { namespace: bridgeNamespace, bridge: 'clicks-to-kafka' },
    headers: false,
    servers: () => ({
      connectors: { kafka: { bootstrapServers: [brokers] }, kinesis: kinesisFields },
      secretData: aws,
    }),
    open: async (run) => ({
      ...kinesisSender(kinesis.endpoint, 'clicks'),
      read: (signal) => readKafka(brokers, 'clicks', run, signal),
    }),
  }
  return {
    kafka,
    kinesis,
    username,
    password: () => password,
    flows: [toKinesis, toKafka],
    async rotate() {
      password = canary(`kafka password ${++passwords}`)
      await setScramPassword(brokers, username, password)
      return [toKinesis]
    },
    async stop() {
      await Promise.all([kafka.stop(), kinesis.stop()])
    },
  }
}

/** The broker takes the new password from now on, and the old one no more. */
async function setScramPassword(bootstrapServers: string, user: string, password: string): Promise<void> {
  const tool = ['-XX:TieredStopAtLevel=1', '-Xmx128m', '-cp', await kafkaClasspath(), 'kafka.admin.ConfigCommand']
  const entity = ['--entity-type', 'users', '--entity-name', user]
  const change = ['--alter', '--add-config', `SCRAM-SHA-512=[password=${password}]`]
  await runCommand('java', [...tool, '--bootstrap-server', bootstrapServers, ...entity, ...change])
}
