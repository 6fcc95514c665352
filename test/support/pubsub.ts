/** Google's own Pub/Sub emulator as a local process, and the SDK as the independent client of the tests. */
import { globSync } from 'node:fs'
import { type protos, PubSub, v1 } from '@google-cloud/pubsub'
import { credentials } from '@grpc/grpc-js'
import { MissingTool } from './cache.ts'
import { awaitReady, freePorts, removeDirectory, startServer, temporaryDirectory } from './server-process.ts'

export interface PubsubServer extends AsyncDisposable {
  /** host:port, plain text. */
  readonly address: string
  readonly logFile: string
  stop(): Promise<void>
  /** SIGKILL. Everything it held is lost. */
  kill(): Promise<void>
  pause(): void
  resume(): void
}

export interface PubsubOptions {
  /** Where it listens. Default 127.0.0.1. */
  readonly host?: string
  /** Default: a free one. */
  readonly port?: number
  /** Megabytes of heap: it keeps every message in memory, also of topics that are deleted. Default 2048. */
  readonly heap?: number
}

export const pubsubProject = 'streambridge-test'
/** Names the jar, where it is not installed as a package. */
export const jarVariable = 'STREAMBRIDGE_PUBSUB_EMULATOR'
const installed = '/usr/{lib,share}/google-cloud-sdk/platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar'

/** Path of the emulator. Throws a MissingTool that says how to get it. */
export function pubsubEmulatorJar(): string {
  const found = process.env[jarVariable] ?? globSync(installed).sort().at(-1)
  if (found !== undefined) return found
  throw new MissingTool(
    `the Pub/Sub emulator is not installed: apt-get install google-cloud-cli-pubsub-emulator (from https://packages.cloud.google.com/apt), or name its jar in ${jarVariable}`,
  )
}

/** Starts it and waits until it answers. */
export async function startPubsub({
  host = '127.0.0.1',
  port,
  heap = 2048,
}: PubsubOptions = {}): Promise<PubsubServer> {
  const jar = pubsubEmulatorJar()
  const chosen = port ?? (await freePorts(1))[0] ?? 0
  const directory = temporaryDirectory('pubsub')
  const server = await startServer({
    name: 'pubsub',
    command: 'java',
    args: [`-Xmx${heap}m`, '-jar', jar, `--host=${host}`, `--port=${chosen}`],
    directory,
    env: { PATH: process.env['PATH'] },
    install: 'the Pub/Sub emulator needs Java: apt-get install openjdk-17-jre-headless',
  })
  const address = `${host}:${chosen}`
  await awaitReady(server, 'the Pub/Sub emulator', async () => (await fetch(`http://${address}/`)).ok)
  const stop = async (): Promise<void> => {
    await server.stop(5_000)
    removeDirectory(directory)
  }
  return {
    address,
    logFile: server.logFile,
    stop,
    async kill() {
      server.signal('SIGKILL')
      await server.exited()
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}

const options = (address: string) => ({
  projectId: pubsubProject,
  apiEndpoint: address,
  emulatorMode: true,
  // Named, so that the SDK does not look for a metadata server.
  clientOptions: { universeDomain: 'googleapis.com' },
})

/** The SDK’s client for an emulator. Close it. */
export const pubsubClient = (address: string): PubSub => new PubSub(options(address))

export async function withPubsub<T>(address: string, task: (client: PubSub) => Promise<T>): Promise<T> {
  const client = pubsubClient(address)
  try {
    return await task(client)
  } finally {
    await client.close()
  }
}

/** A topic, and subscriptions to it, with message ordering unless told otherwise. */
export const createTopic = (
  address: string,
  topic: string,
  subscriptions: readonly string[] = [],
  settings: Parameters<PubSub['createSubscription']>[2] = {},
): Promise<void> =>
  withPubsub(address, async (client) => {
    await client.createTopic(topic)
    for (const name of subscriptions)
      await client.createSubscription(topic, name, { enableMessageOrdering: true, ackDeadlineSeconds: 60, ...settings })
  })

/** With what was published to it. */
export const deleteTopic = (address: string, topic: string, subscriptions: readonly string[]): Promise<void> =>
  withPubsub(address, async (client) => {
    for (const name of subscriptions) await client.subscription(name).delete()
    await client.topic(topic).delete()
  })

export interface PlainMessage {
  readonly key?: string | undefined
  readonly data: Buffer
  readonly attributes?: Readonly<Record<string, string>>
}

/** Publishes in order, one request at a time for each key, and waits until all is stored. */
export async function publishWith(client: PubSub, topic: string, messages: readonly PlainMessage[]): Promise<void> {
  const publisher = client.topic(topic, {
    messageOrdering: true,
    batching: { maxMessages: 500, maxMilliseconds: 5 },
  })
  await Promise.all(
    messages.map(({ key, data, attributes = {} }) =>
      publisher.publishMessage({
        data,
        attributes: { ...attributes },
        ...(key === undefined ? {} : { orderingKey: key }),
      }),
    ),
  )
}

export const publish = (address: string, topic: string, messages: readonly PlainMessage[]): Promise<void> =>
  withPubsub(address, (client) => publishWith(client, topic, messages))

export interface PulledMessage {
  readonly id: string
  /** Empty: none. */
  readonly orderingKey: string
  readonly data: Buffer
  readonly attributes: Readonly<Record<string, string>>
}

/** The SDK’s client for single requests. Close it. */
export function subscriberClient(address: string): v1.SubscriberClient {
  const [host = '', port] = address.split(':')
  return new v1.SubscriberClient({
    projectId: pubsubProject,
    apiEndpoint: host,
    port: Number(port),
    sslCreds: credentials.createInsecure(),
    clientOptions: { universeDomain: 'googleapis.com' },
  })
}

/** Takes some of what a subscription holds now, acknowledged. */
export async function pull(client: v1.SubscriberClient, subscription: string): Promise<PulledMessage[]> {
  const name = `projects/${pubsubProject}/subscriptions/${subscription}`
  const [{ receivedMessages }] = await client.pull({ subscription: name, maxMessages: 1000, returnImmediately: true })
  const received = (receivedMessages ?? []).flatMap(({ ackId, message }) =>
    ackId == null || message == null ? [] : [{ ackId, message }],
  )
  const ackIds = received.map(({ ackId }) => ackId)
  if (ackIds.length > 0) await client.acknowledge({ subscription: name, ackIds })
  return received.map(({ message }) => plain(message))
}

/** Takes everything a subscription holds now, acknowledged. */
export async function pullAll(address: string, subscription: string): Promise<PulledMessage[]> {
  const client = subscriberClient(address)
  const pulled: PulledMessage[] = []
  try {
    for (let empty = 0; empty < 2; ) {
      const received = await pull(client, subscription)
      empty = received.length === 0 ? empty + 1 : 0
      pulled.push(...received)
    }
  } finally {
    await client.close()
  }
  return pulled
}

const plain = ({
  messageId,
  orderingKey,
  data,
  attributes,
}: protos.google.pubsub.v1.IPubsubMessage): PulledMessage => ({
  id: messageId ?? '',
  orderingKey: orderingKey ?? '',
  data: Buffer.from(data ?? ''),
  attributes: attributes ?? {},
})
