/** A real Apache Kafka broker in a container, with the settings of the one that `test/support/kafka.ts` runs as a process. */
import { eventually } from '../eventually.ts'
import { type ListenerName, serverProperties } from '../kafka-properties.ts'
import { withAdmin } from '../kafka.ts'
import { freePorts } from '../server-process.ts'
import { dockerHost, startContainer } from './engine.ts'
import { images } from './images.ts'
import { kafkaEnvironment } from './kafka-environment.ts'

export interface KafkaContainerOptions {
  /** Beside `plaintext`, which is always there. Certificates would have to be copied into the container. */
  readonly listeners?: readonly Extract<ListenerName, 'sasl'>[]
  /** User name → password, of PLAIN: accounts of SCRAM are made when the storage is formatted, which the image does by itself. */
  readonly users?: Readonly<Record<string, string>>
}

export interface KafkaContainer extends AsyncDisposable {
  /** host:port of the listener `plaintext`. */
  readonly bootstrapServers: string
  /** host:port by listener. */
  readonly addresses: Readonly<Partial<Record<ListenerName, string>>>
  /** SIGKILL, and starts it again with the same data and addresses. */
  crash(): Promise<void>
  stop(): Promise<void>
}

/** A folder that the image's user may write, as in the examples of its usage guide. */
const directory = '/tmp/kraft-combined-logs'

/** Starts a broker and waits until it answers. */
export async function startKafkaContainer(options: KafkaContainerOptions = {}): Promise<KafkaContainer> {
  const found = await dockerHost()
  // A broker at 127.0.0.1 listens there only, which inside a container is the container alone.
  const host = found === '127.0.0.1' ? 'localhost' : found
  const names: ListenerName[] = ['plaintext', ...(options.listeners ?? [])]
  // A broker tells its clients where it is, so its ports are the same inside and outside, and are known before it starts.
  const [controllerPort = 0, ...ports] = await freePorts(names.length + 1)
  const listeners = names.map((name, index) => ({ name, port: ports[index] ?? 0 }))
  const properties = serverProperties({
    directory,
    host,
    listeners,
    advertised: undefined,
    controllerPort,
    users: options.users ?? {},
    partitions: 4,
    config: {},
  })
  const container = await startContainer(images.kafka, (kafka) =>
    kafka
      .withEnvironment({ ...kafkaEnvironment(properties), KAFKA_HEAP_OPTS: '-Xms128m -Xmx512m' })
      .withExposedPorts(...ports.map((port) => ({ container: port, host: port }))),
  )
  const addresses = Object.fromEntries(listeners.map(({ name, port }) => [name, `${host}:${port}`]))
  const bootstrapServers = addresses['plaintext'] ?? ''
  const answers = (): Promise<unknown> =>
    eventually(
      'the broker in its container',
      () => withAdmin(bootstrapServers, (admin) => admin.describeCluster()),
      ({ brokers }) => brokers.length > 0,
      { within: 90_000 },
    )
  const stop = async (): Promise<void> => void (await container.stop())
  await answers()
  return {
    bootstrapServers,
    addresses,
    async crash() {
      await container.restart({ timeout: 0 })
      await answers()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
