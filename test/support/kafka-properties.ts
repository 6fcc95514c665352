/** A test broker's server.properties. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificate } from './certificates.ts'

export type ListenerName = 'plaintext' | 'sasl' | 'tls' | 'mtls' | 'sasl-tls'

export interface BrokerSettings {
  readonly directory: string
  readonly host: string
  readonly listeners: readonly { readonly name: ListenerName; readonly port: number }[]
  /** host:port that clients of `plaintext` are sent to, where it is another one. */
  readonly advertised: string | undefined
  readonly controllerPort: number
  readonly users: Readonly<Record<string, string>>
  readonly partitions: number
  readonly certificate?: Certificate
  readonly caFile?: string
  readonly config: Readonly<Record<string, string>>
}

const protocols: Record<ListenerName, string> = {
  plaintext: 'PLAINTEXT',
  sasl: 'SASL_PLAINTEXT',
  tls: 'SSL',
  mtls: 'SSL',
  'sasl-tls': 'SASL_SSL',
}

const label = (name: ListenerName): string => name.toUpperCase().replace('-', '')

/** The file's text. Small: one replica of everything, short waits, little memory. */
export function serverProperties(settings: BrokerSettings): string {
  const { listeners, host, controllerPort, directory } = settings
  const bind = host === '127.0.0.1' ? host : '0.0.0.0'
  const properties: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: [
      ...listeners.map(({ name, port }) => `${label(name)}://${bind}:${port}`),
      `CONTROLLER://127.0.0.1:${controllerPort}`,
    ].join(','),
    'advertised.listeners': listeners
      .map(({ name, port }) => `${label(name)}://${(name === 'plaintext' && settings.advertised) || `${host}:${port}`}`)
      .join(','),
    'listener.security.protocol.map': [
      ...listeners.map(({ name }) => `${label(name)}:${protocols[name]}`),
      'CONTROLLER:PLAINTEXT',
    ].join(','),
    'log.dirs': join(directory, 'data'),
    'num.partitions': settings.partitions,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 2,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 2,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    'controlled.shutdown.enable': 'false',
    // A broker that was killed may come back when its old registration has expired.
    'broker.session.timeout.ms': 1_000,
    'broker.heartbeat.interval.ms': 200,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'num.network.threads': 2,
    'num.io.threads': 4,
    ...security(settings),
    ...settings.config,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function security({ listeners, users, certificate, caFile, directory }: BrokerSettings): Record<string, string> {
  const properties: Record<string, string> = {}
  const accounts = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`)
  for (const { name } of listeners) {
    const prefix = `listener.name.${label(name).toLowerCase()}`
    if (name.startsWith('sasl')) {
      properties[`${prefix}.sasl.enabled.mechanisms`] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'
      properties[`${prefix}.plain.sasl.jaas.config`] =
        `org.apache.kafka.common.security.plain.PlainLoginModule required${accounts.join('')};`
      for (const mechanism of ['scram-sha-256', 'scram-sha-512'])
        properties[`${prefix}.${mechanism}.sasl.jaas.config`] =
          'org.apache.kafka.common.security.scram.ScramLoginModule required;'
    }
    if (name.endsWith('tls') && certificate !== undefined && caFile !== undefined) {
      const keystore = join(directory, 'broker.pem')
      writeFileSync(keystore, readFileSync(certificate.keyFile, 'utf8') + certificate.cert)
      properties[`${prefix}.ssl.keystore.type`] = 'PEM'
      properties[`${prefix}.ssl.keystore.location`] = keystore
      properties[`${prefix}.ssl.truststore.type`] = 'PEM'
      properties[`${prefix}.ssl.truststore.location`] = caFile
      properties[`${prefix}.ssl.client.auth`] = name === 'mtls' ? 'required' : 'none'
    }
  }
  return properties
}
