/** A real Apache Kafka broker (KRaft, one node) as a local process. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import kafkajs, { Kafka as Client, logLevel, type Admin } from 'kafkajs'
import { type Authority, createAuthority } from './certificates.ts'
import { eventually } from './eventually.ts'
import { type ListenerName, serverProperties } from './kafka-properties.ts'
import { mavenClasspath } from './maven.ts'
import { runCommand } from './run-command.ts'
import {
  awaitReady,
  freePorts,
  removeDirectory,
  type ServerProcess,
  startServer,
  temporaryDirectory,
} from './server-process.ts'

export const kafkaVersion = '4.1.1'

export interface KafkaOptions {
  /** Listeners beside `plaintext`, which is always there. `sasl` takes PLAIN and SCRAM; `mtls` demands a certificate. */
  readonly listeners?: readonly ListenerName[]
  /** User name → password, for `sasl` and `sasl-tls`. */
  readonly users?: Readonly<Record<string, string>>
  /** Where clients reach the broker. Default 127.0.0.1; another one makes it listen on every address of the machine. */
  readonly advertisedHost?: string
  /** Where clients of `plaintext` are sent instead, given where it listens: a proxy. */
  readonly advertise?: (address: string) => Promise<string>
  /** Partitions of a topic that does not say. Default 4. */
  readonly partitions?: number
  /** Megabytes. Default 512. */
  readonly heap?: number
  /** More server properties; they win. */
  readonly config?: Readonly<Record<string, string>>
}

export interface KafkaServer extends AsyncDisposable {
  /** host:port of the listener `plaintext`. */
  readonly bootstrapServers: string
  /** host:port by listener. */
  readonly addresses: Readonly<Partial<Record<ListenerName, string>>>
  /** Who signed the certificates of `tls`, `mtls` and `sasl-tls`; also makes client certificates. */
  readonly authority: Authority | undefined
  readonly pid: () => number
  readonly logFile: string
  /** Ends it in good order and removes its data. */
  stop(): Promise<void>
  /** SIGKILL; the data stays for `restart`. */
  kill(): Promise<void>
  /** Starts it again (stopping it first where it runs) with the same data and addresses, and other users of PLAIN if given. */
  restart(users?: Readonly<Record<string, string>>): Promise<void>
  /** Freezes and thaws the process. */
  pause(): void
  resume(): void
}

const java = 'install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)'

/** Starts a broker and waits until it answers. Topics are not made by themselves. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const classpath = await kafkaClasspath()
  const directory = temporaryDirectory('kafka')
  const host = options.advertisedHost ?? '127.0.0.1'
  const names: ListenerName[] = ['plaintext', ...(options.listeners ?? []).filter((name) => name !== 'plaintext')]
  const ports = await freePorts(names.length + 1)
  const listeners = names.map((name, index) => ({ name, port: ports[index + 1] ?? 0 }))
  const advertised = await options.advertise?.(`${host}:${listeners[0]?.port}`)
  const authority = names.some((name) => name.endsWith('tls')) ? await createAuthority(directory) : undefined
  const certificate = await authority?.issue('broker', [...new Set(['localhost', '127.0.0.1', host])])
  const properties = join(directory, 'server.properties')
  const configure = (users: Readonly<Record<string, string>>): void =>
    writeFileSync(
      properties,
      serverProperties({
        directory,
        host,
        listeners,
        advertised,
        controllerPort: ports[0] ?? 0,
        users,
        partitions: options.partitions ?? 4,
        ...(authority && certificate ? { certificate, caFile: authority.caFile } : {}),
        config: options.config ?? {},
      }),
    )
  configure(options.users ?? {})
  await format(classpath, properties, options.users ?? {})
  const addresses = Object.fromEntries(listeners.map(({ name, port }) => [name, `${host}:${port}`]))
  const bootstrapServers = addresses['plaintext'] ?? ''
  const heap = options.heap ?? 512
  const boot = async (): Promise<ServerProcess> => {
    const args = [`-Xms128m`, `-Xmx${heap}m`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classpath]
    const server = await startServer({
      name: 'kafka',
      command: 'java',
      args: [...args, 'kafka.Kafka', properties],
      directory,
      install: java,
    })
    await awaitReady(
      server,
      'Kafka',
      async () => (await withAdmin(bootstrapServers, (admin) => admin.describeCluster())).brokers.length > 0,
    )
    return server
  }
  let server = await boot()
  const kill = async (): Promise<void> => {
    server.signal('SIGKILL')
    await server.exited()
  }
  const stop = async (): Promise<void> => {
    await server.stop()
    removeDirectory(directory)
  }
  return {
    bootstrapServers,
    addresses,
    authority,
    pid: () => server.pid,
    logFile: server.logFile,
    kill,
    stop,
    async restart(users) {
      await server.stop()
      if (users !== undefined) configure(users)
      server = await boot()
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}

/** The broker's jars, fetched once. */
export const kafkaClasspath = (): Promise<string> =>
  mavenClasspath(`kafka-${kafkaVersion}`, [
    `org.apache.kafka:kafka_2.13:${kafkaVersion}`,
    'org.slf4j:slf4j-simple:1.7.36',
  ])

async function format(classpath: string, properties: string, users: Readonly<Record<string, string>>): Promise<void> {
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
  const scram = Object.entries(users).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  )
  const tool = ['-XX:TieredStopAtLevel=1', '-Xmx128m', '-cp', classpath, 'kafka.tools.StorageTool']
  await runCommand('java', [...tool, 'format', `--cluster-id=${id}`, '-c', properties, ...scram], { install: java })
}

// kafkajs brings no zstd, Node does.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { readonly buffer: Buffer }) => promisify(zstdCompress)(buffer),
  decompress: (buffer: Buffer) => promisify(zstdDecompress)(buffer),
})

/** kafkajs, silent: the independent client of the tests. */
export const kafkaClient = (bootstrapServers: string): Client =>
  new Client({
    clientId: 'streambridge-test',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    retry: { retries: 3, initialRetryTime: 100 },
  })

/** Connects an admin client for one task. */
export async function withAdmin<T>(bootstrapServers: string, task: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaClient(bootstrapServers).admin()
  await admin.connect()
  try {
    return await task(admin)
  } finally {
    await admin.disconnect()
  }
}

export interface TopicOptions {
  readonly partitions?: number
  readonly config?: Readonly<Record<string, string>>
}

/** Makes a topic and waits until its partitions have leaders. */
export async function createTopic(bootstrapServers: string, topic: string, options: TopicOptions = {}): Promise<void> {
  const configEntries = Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value }))
  await withAdmin(bootstrapServers, async (admin) => {
    const topics = [{ topic, numPartitions: options.partitions ?? 4, replicationFactor: 1, configEntries }]
    // A broker that has just started answers before it may hold partitions.
    await eventually(`topic ${topic}`, () => admin.createTopics({ waitForLeaders: false, topics }))
    await eventually(`leaders of topic ${topic}`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0]?.partitions.every(({ leader }) => leader > 0) === true
    })
    // A leader is named before it knows that it is one: until then it refuses a producer that does not ask again.
    await eventually(`topic ${topic} can be written`, () => admin.fetchTopicOffsets(topic))
  })
}
