/** A Pub/Sub service over gRPC in this process, for what Google's emulator cannot do: order, refusals, exactly-once. */
import { protos } from '@google-cloud/pubsub'
import {
  type Metadata,
  Metadata as MetadataOf,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js'
import type { Certificate } from '../certificates.ts'
import { type AckFailure, type FakeStream, FakeSubscription } from './fake-subscription.ts'
import { ackFailures } from './status-details.ts'
import { methods } from './wire.ts'
import type { Refusal } from './refusal.ts'

type Pb = typeof protos.google.pubsub.v1
type Instance<Name extends keyof Pb> = Pb[Name] extends abstract new (...rest: never[]) => infer T ? T : never

export interface FakeCall {
  readonly method: string
  readonly request: Readonly<Record<string, unknown>>
  readonly authorization: string | undefined
}

export interface Published {
  readonly key: string
  readonly data: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface FakePubsub extends AsyncDisposable {
  readonly address: string
  /** Every call that came, by name. */
  readonly calls: FakeCall[]
  /** Asked for each call; undefined: it works. */
  refuse: (call: FakeCall) => Refusal | undefined
  createTopic(topic: string, subscriptions?: readonly string[], settings?: object): void
  published(topic: string): readonly Published[]
  subscription(name: string): FakeSubscription
  publish(topic: string, messages: readonly { readonly key?: string; readonly data: Buffer | string }[]): void
  /** Ends every stream, as the service does now and then. */
  endStreams(code: status, details?: string): void
  stop(): Promise<void>
}

export const fakeProject = 'streambridge-test'
const topicName = (topic: string): string => `projects/${fakeProject}/topics/${topic}`
const subscriptionName = (name: string): string => `projects/${fakeProject}/subscriptions/${name}`

interface Topic {
  readonly published: Published[]
  readonly subscriptions: FakeSubscription[]
}

interface Subscribed {
  readonly queue: FakeSubscription
  readonly settings: Instance<'Subscription'>
}

const refusal = (code: status, details: string): Refusal => ({ code, details })

class FakeService {
  readonly topics = new Map<string, Topic>()
  readonly subscriptions = new Map<string, Subscribed>()
  #messages = 0

  topic(name: string): Topic {
    const found = this.topics.get(name)
    if (found === undefined) throw refusal(status.NOT_FOUND, `Resource not found (resource=${name}).`)
    return found
  }

  subscription(name: string): Subscribed {
    const found = this.subscriptions.get(name)
    if (found === undefined) throw refusal(status.NOT_FOUND, `Resource not found (resource=${name}).`)
    return found
  }

  subscribe(settings: Instance<'Subscription'>): Instance<'Subscription'> {
    const topic = this.topic(settings.topic)
    if (this.subscriptions.has(settings.name)) throw refusal(status.ALREADY_EXISTS, 'Resource already exists')
    const queue = new FakeSubscription()
    topic.subscriptions.push(queue)
    this.subscriptions.set(settings.name, { queue, settings })
    return settings
  }

  publish({ topic: name, messages }: Instance<'PublishRequest'>): { messageIds: string[] } {
    const topic = this.topic(name)
    if (new Set(messages.map(({ orderingKey }) => orderingKey ?? '')).size > 1)
      throw refusal(
        status.INVALID_ARGUMENT,
        'In a single publish request, all messages must have the same ordering key.',
      )
    const seconds = Math.floor(Date.now() / 1000)
    const messageIds = messages.map((message) => {
      const messageId = String(++this.#messages)
      topic.published.push({
        key: message.orderingKey ?? '',
        data: Buffer.from(message.data ?? '').toString(),
        attributes: { ...message.attributes },
      })
      for (const queue of topic.subscriptions) queue.add({ ...message, messageId, publishTime: { seconds } })
      return messageId
    })
    for (const queue of topic.subscriptions) queue.deliver()
    return { messageIds }
  }

  acknowledge({ subscription: name, ackIds }: Instance<'AcknowledgeRequest'>): object {
    const { queue, settings } = this.subscription(name)
    return outcome(settings, new Map(ackIds.map((id) => [id, queue.acknowledge(id)])), () => queue.deliver())
  }

  extend({ subscription: name, ackIds, ackDeadlineSeconds }: Instance<'ModifyAckDeadlineRequest'>): object {
    const { queue, settings } = this.subscription(name)
    const results = new Map(ackIds.map((id) => [id, queue.extend(id, ackDeadlineSeconds)]))
    return outcome(settings, results, () => queue.deliver())
  }

  /** Unary calls by name. */
  readonly unary: Readonly<Record<string, (request: never) => object>> = {
    getTopic: ({ topic }: Instance<'GetTopicRequest'>) => {
      this.topic(topic)
      return { name: topic }
    },
    publish: (request: Instance<'PublishRequest'>) => this.publish(request),
    getSubscription: ({ subscription }: Instance<'GetSubscriptionRequest'>) => this.subscription(subscription).settings,
    createSubscription: (settings: Instance<'Subscription'>) => this.subscribe(settings),
    acknowledge: (request: Instance<'AcknowledgeRequest'>) => this.acknowledge(request),
    modifyAckDeadline: (request: Instance<'ModifyAckDeadlineRequest'>) => this.extend(request),
  }
}

/** Only an exactly-once subscription says what became of single ids. */
function outcome(
  { enableExactlyOnceDelivery }: Instance<'Subscription'>,
  results: ReadonlyMap<string, AckFailure | undefined>,
  then: () => void,
): object {
  setImmediate(then)
  const failed = new Map([...results].flatMap(([id, failure]) => (failure === undefined ? [] : [[id, failure]])))
  if (!enableExactlyOnceDelivery || failed.size === 0) return {}
  throw ackFailures(failed)
}

type PullStream = ServerDuplexStream<Instance<'StreamingPullRequest'>, object>

export interface FakePubsubOptions {
  /** Default: plain text. */
  readonly certificate?: Certificate
  /** Where it listens. Default 127.0.0.1. */
  readonly host?: string
}

export async function startFakePubsub({
  certificate,
  host = '127.0.0.1',
}: FakePubsubOptions = {}): Promise<FakePubsub> {
  const service = new FakeService()
  const streams = new Set<PullStream>()
  const calls: FakeCall[] = []
  const judge = (method: string, request: object, metadata: Metadata): Refusal | undefined => {
    const call = { method, request: { ...request }, authorization: metadata.get('authorization')[0]?.toString() }
    calls.push(call)
    return fake.refuse(call)
  }
  const unary =
    (method: string) =>
    ({ request, metadata }: ServerUnaryCall<object, object>, done: sendUnaryData<object>): void => {
      const refused = judge(method, request, metadata)
      if (refused !== undefined && refused.done !== true) return done(refused)
      try {
        const answer = service.unary[method]?.(request as never) ?? {}
        if (refused === undefined) done(null, answer)
        else done(refused)
      } catch (thrown) {
        done(thrown as Refusal)
      }
    }
  const pull = (call: PullStream): void => {
    let attached: { readonly queue: FakeSubscription; readonly stream: FakeStream } | undefined
    const leave = (): void => {
      streams.delete(call)
      if (attached !== undefined) attached.queue.detach(attached.stream)
    }
    streams.add(call)
    call.on('data', (request: Instance<'StreamingPullRequest'>) => {
      if (attached !== undefined || request.subscription === '') return
      const refused = judge('streamingPull', request, call.metadata)
      if (refused !== undefined) return void call.emit('error', refused)
      try {
        attached = attach(service.subscription(request.subscription), request, call, () => streams.has(call))
      } catch (thrown) {
        call.emit('error', thrown)
      }
    })
    call.on('error', leave)
    call.on('cancelled', leave)
    call.on('close', leave)
    call.on('end', () => {
      leave()
      call.end()
    })
  }
  const server = new Server({ 'grpc.max_receive_message_length': 20_000_000 })
  for (const [name, definition] of Object.entries(methods))
    server.addService({ [name]: definition }, { [name]: name === 'streamingPull' ? pull : unary(name) })
  const port = await listen(server, host, certificate)
  const stop = async (): Promise<void> => {
    for (const { queue } of service.subscriptions.values()) queue.close()
    server.forceShutdown()
  }
  const fake: FakePubsub = {
    address: `${host}:${port}`,
    calls,
    refuse: () => undefined,
    createTopic(topic, subscriptions = [], settings = {}) {
      service.topics.set(topicName(topic), { published: [], subscriptions: [] })
      for (const name of subscriptions)
        service.subscribe(
          protos.google.pubsub.v1.Subscription.fromObject({
            name: subscriptionName(name),
            topic: topicName(topic),
            enableMessageOrdering: true,
            ...settings,
          }),
        )
    },
    published: (topic) => service.topic(topicName(topic)).published,
    subscription: (name) => service.subscription(subscriptionName(name)).queue,
    publish(topic, messages) {
      for (const { key = '', data } of messages) {
        const message = { orderingKey: key, data: Buffer.from(data as string) }
        service.publish(
          protos.google.pubsub.v1.PublishRequest.fromObject({ topic: topicName(topic), messages: [message] }),
        )
      }
    },
    endStreams(code, details = '') {
      for (const call of streams)
        if (code === status.OK) call.end()
        else call.emit('error', refusal(code, details))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
  return fake
}

function attach(
  { queue, settings }: Subscribed,
  { clientId, streamAckDeadlineSeconds, maxOutstandingMessages }: Instance<'StreamingPullRequest'>,
  call: PullStream,
  open: () => boolean,
): { readonly queue: FakeSubscription; readonly stream: FakeStream } {
  call.sendMetadata(new MetadataOf())
  const subscriptionProperties = {
    exactlyOnceDeliveryEnabled: settings.enableExactlyOnceDelivery,
    messageOrderingEnabled: settings.enableMessageOrdering,
  }
  const stream: FakeStream = {
    client: clientId,
    lease: streamAckDeadlineSeconds * 1000,
    maxMessages: Number(maxOutstandingMessages) || Number.POSITIVE_INFINITY,
    open,
    send: (receivedMessages) => void call.write({ receivedMessages, subscriptionProperties }),
  }
  queue.attach(stream)
  return { queue, stream }
}

function listen(server: Server, host: string, certificate: Certificate | undefined): Promise<number> {
  const credentials =
    certificate === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { private_key: Buffer.from(certificate.key), cert_chain: Buffer.from(certificate.cert) },
        ])
  return new Promise((resolve, reject) =>
    server.bindAsync(`${host}:0`, credentials, (error, port) => (error === null ? resolve(port) : reject(error))),
  )
}
