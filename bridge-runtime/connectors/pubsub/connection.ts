/**
 * The calls the connector makes: over the stubs of Google's generated clients, for their wire format and credentials. What
 * lies above the stubs (repetitions, batching, leases) is left out: it hides what became of a message.
 */
import type { protos } from '@google-cloud/pubsub'
import { v1 } from '@google-cloud/pubsub'
import { type Client, type ClientDuplexStream, credentials as channel, Metadata } from '@grpc/grpc-js'
import type { ConnectorContext } from '../define-connector.ts'
import { readCredentials } from './credentials.ts'
import { type Doing, translate } from './errors.ts'
import type { PubsubConnectionConfig } from './schema.ts'

export type PubsubMessage = protos.google.pubsub.v1.IPubsubMessage
export type SubscriptionSettings = protos.google.pubsub.v1.ISubscription
export type PullResponse = protos.google.pubsub.v1.IStreamingPullResponse
export type PullRequest = protos.google.pubsub.v1.IStreamingPullRequest
export type PullCall = ClientDuplexStream<PullRequest, PullResponse>

type Callback = (error: Error | null, answer: unknown) => void
interface Call {
  cancel(): void
}
type Unary = (request: object, metadata: Metadata, options: { readonly deadline: number }, done: Callback) => Call
type Stub = Client & Readonly<Record<string, (...rest: never[]) => unknown>>

/** Google's authentication, as the generated clients share it. */
export type Auth = InstanceType<typeof v1.SubscriberClient>['auth']

/** Milliseconds. The largest request is 10 MB. */
const callTimeout = 30_000

/** Every call rejects with a BridgeError; none is repeated here, each has a deadline. */
export interface Connection {
  /** For errors: undefined with the service's own address. */
  readonly endpoint: string | undefined
  readonly plainText: boolean
  readonly auth: Auth
  call<Answer>(method: string, request: object, doing: Doing, options?: CallOptions): Promise<Answer>
  /** Opens a bidirectional stream; it fails with a gRPC status. */
  pull(subscription: string): PullCall
  close(): void
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. Default 30 s. */
  readonly timeout?: number
}

type Generated = 'PublisherClient' | 'SubscriberClient'

export async function connect(
  kind: Generated,
  config: PubsubConnectionConfig,
  context: Pick<ConnectorContext, 'secret'>,
): Promise<Connection> {
  const { endpoint, projectID } = config
  const address = addressOf(endpoint)
  const credentials = await readCredentials(config, context.secret)
  const client = new v1[kind]({
    projectId: projectID,
    // Named, so that the library does not ask for it where there are no credentials to ask.
    ...(address.plainText ? { sslCreds: channel.createInsecure(), universeDomain: 'googleapis.com', clientOptions: { universeDomain: 'googleapis.com' } } : {}),
    ...(address.host === undefined ? {} : { apiEndpoint: address.host }),
    ...(address.port === undefined ? {} : { port: address.port }),
    ...(credentials === undefined ? {} : { credentials }),
    // A connection that died without a word is found out within 40 s.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    // Back after an outage as soon as the server is; gRPC waits up to two minutes otherwise.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    // Two clients of one process do not share a connection.
    'grpc.use_local_subchannel_pool': 1,
  })
  const stub = (await client.initialize()) as unknown as Stub
  return {
    endpoint,
    plainText: address.plainText,
    auth: client.auth,
    call: (method, request, doing, options) => unary(stub, method, request, { ...options, doing: { ...doing, endpoint } }),
    pull(subscription) {
      const open = stub['streamingPull'] as unknown as (metadata: Metadata) => PullCall
      return open.call(stub, routed(`subscription=${encodeURIComponent(subscription)}`))
    },
    close: () => stub.close(),
  }
}

/** For the service's front end, which routes by it. */
function routed(parameters: string): Metadata {
  const metadata = new Metadata()
  metadata.set('x-goog-request-params', parameters)
  return metadata
}

const routes = ['topic', 'subscription', 'name'] as const

function unary<Answer>(
  stub: Stub,
  method: string,
  request: object,
  { signal, timeout = callTimeout, doing }: CallOptions & { readonly doing: Doing },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(translate({ code: 1, details: 'given up' }, doing))
    const fields = request as Readonly<Record<string, unknown>>
    const route = routes.find((name) => typeof fields[name] === 'string')
    const metadata = routed(route === undefined ? '' : `${route}=${encodeURIComponent(String(fields[route]))}`)
    const invoke = stub[method] as unknown as Unary
    const call = invoke.call(stub, request, metadata, { deadline: Date.now() + timeout }, (error, answer) => {
      signal?.removeEventListener('abort', cancel)
      if (error === null) resolve(answer as Answer)
      else reject(translate(error, doing))
    })
    const cancel = (): void => call.cancel()
    signal?.addEventListener('abort', cancel, { once: true })
  })
}

interface Address {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly plainText: boolean
}

/** `http://` is plain text; `https://` or nothing is TLS. */
export function addressOf(endpoint: string | undefined): Address {
  if (endpoint === undefined) return { host: undefined, port: undefined, plainText: false }
  const plainText = endpoint.startsWith('http://')
  const [host, port] = endpoint.replace(/^https?:\/\//, '').split(':')
  return { host, port: port === undefined ? (plainText ? 80 : 443) : Number(port), plainText }
}
