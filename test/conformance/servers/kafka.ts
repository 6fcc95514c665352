import { type KafkaServer, startKafka } from '../../support/kafka.ts'
import { containersWanted } from '../../support/shared-servers.ts'

/** A broker that one test has for itself. */
export interface OwnBroker extends Pick<KafkaServer, 'bootstrapServers' | 'addresses' | 'stop'> {
  /** Killed, and started again with the same data and addresses. */
  crash(): Promise<void>
}

export interface OwnBrokerOptions {
  readonly listeners?: readonly 'sasl'[]
  /** User name → password, of PLAIN. */
  readonly users?: Readonly<Record<string, string>>
}

export type StartBroker = (options?: OwnBrokerOptions) => Promise<OwnBroker>

const asProcess: StartBroker = async (options) => {
  const server = await startKafka(options)
  return {
    bootstrapServers: server.bootstrapServers,
    addresses: server.addresses,
    async crash() {
      await server.kill()
      await server.restart()
    },
    stop: () => server.stop(),
  }
}

const inContainer: StartBroker = async (options) =>
  (await import('../../support/containers/kafka.ts')).startKafkaContainer(options)

export const startBroker: StartBroker = containersWanted() ? inContainer : asProcess
