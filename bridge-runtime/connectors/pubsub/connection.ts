/**
 * The calls the connector makes: over the stubs of Google's generated clients, for their wire format and credentials. What
 * lies above the stubs (repetitions, batching, leases) is left out: it hides what became of a message.
 */
import { setMaxListeners } from 'node:events'
import type { protos } from '@google-cloud/pubsub'
import { v1 } from '@google-cloud/pubsub'
import {
  type Client,
  type ClientDuplexStream,
  connectivityState,
  credentials as channel,
  Metadata,
  status,
} from '@grpc/grpc-js'
import { BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { placeOf } from '../requests/secret-text.ts'
import { withholding } from '../requests/withholding.ts'
import { readCredentials, universeDomain } from './credentials.ts'
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

/** Milliseconds. Longer than it takes to find out that a connection is dead: a call on one fails with the connection. */
const callTimeout = 45_000

/** Every call rejects with a BridgeError; none is repeated here, each has a deadline. */
export interface Connection {
  /** For errors: undefined with the service's own address. */
  readonly endpoint: string | undefined
  /** For errors: takes Secrets out of a text of the service or of Google's library. */
  readonly withhold: (text: string) => string
  /** For errors: the connector's own field in the manifest. */
  readonly field: string
  readonly plainText: boolean
  readonly auth: Auth
  call<Answer>(method: string, request: object, doing: Doing, options?: CallOptions): Promise<Answer>
  /** Opens a bidirectional stream; it fails with a gRPC status. */
  pull(subscription: string): PullCall
  /** True when the server can be reached, as far as is known. */
  connected(): boolean
  close(): void
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. Default 45 s. */
  readonly timeout?: number
}

/**
 * Bytes of one answer, also when it is inflated. The service gives at most 20 MB, as Google's own clients count on it; its
 * emulator packs what it is asked for into one.
 * Source: MAX_INBOUND_MESSAGE_SIZE of com.google.cloud.pubsub.v1.Subscriber.
 */
const largestAnswer = { service: 20 * 2 ** 20, plainText: 64 * 2 ** 20 }
const channelOptions = {
  // A connection that died without a word is found out within 40 s, while there are calls.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Back after an outage as soon as the server is; gRPC waits up to two minutes otherwise.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5_000,
  // Two clients of one process do not share a connection.
  'grpc.use_local_subchannel_pool': 1,
}

/** Calls to an emulator are too short for keepalives of their own; the service forbids them between calls. */
const plainText = {
  sslCreds: channel.createInsecure(),
  clientOptions: { universeDomain },
  'grpc.keepalive_permit_without_calls': 1,
}

type Generated = 'PublisherClient' | 'SubscriberClient'

export async function connect(
  kind: Generated,
  config: PubsubConnectionConfig,
  context: Pick<ConnectorContext, 'secret' | 'field'>,
): Promise<Connection> {
  const { endpoint, projectID } = config
  const { field } = context
  const address = addressOf(endpoint)
  const { secret, withhold } = withholding(context.secret)
  const credentials = await readCredentials(config, secret)
  const options = {
    projectId: projectID,
    // Named, so that the library does not ask for it where there are no credentials to ask.
    ...(address.plainText ? plainText : {}),
    ...(address.host === undefined ? {} : { apiEndpoint: address.host }),
    ...(address.port === undefined ? {} : { port: address.port }),
    ...(credentials === undefined ? {} : { credentials }),
    ...channelOptions,
    'grpc.max_receive_message_length': largestAnswer[address.plainText ? 'plainText' : 'service'],
  }
  const client = new v1[kind](options)
  const target = `projects/${projectID}`
  const place = config.auth.credentialsSecretRef === undefined ? undefined : placeOf(config.auth.credentialsSecretRef)
  let stub = await stubOf(client, { target, field }, place)
  const closed = new AbortController()
  const stopWatching = watchHandshake(
    () => stub,
    async () => {
      const silent = stub
      const fresh = await stubOf(new v1[kind](options), { target, field }, place)
      if (closed.signal.aborted) return fresh.close()
      stub = fresh
      // Calls that wait for it fail, and are made again.
      silent.close()
    },
  )
  // One listener per call on the way.
  setMaxListeners(0, closed.signal)
  return {
    endpoint,
    withhold,
    field,
    plainText: address.plainText,
    auth: client.auth,
    call: (method, request, doing, options) =>
      unary(stub, method, request, {
        ...options,
        closed: closed.signal,
        doing: { ...doing, endpoint, withhold, field },
      }),
    pull(subscription) {
      const open = stub['streamingPull'] as unknown as (metadata: Metadata) => PullCall
      return open.call(stub, routed(`subscription=${encodeURIComponent(subscription)}`))
    },
    connected: () => stub.getChannel().getConnectivityState(false) === connectivityState.READY,
    close() {
      closed.abort()
      stopWatching()
      stub.close()
    },
  }
}

/** Milliseconds between two looks, and how many of them may find no connection before another one is made. */
const look = 5_000
const maxLooksUnconnected = 6

/** gRPC waits for ever for the handshake of a server that accepts a connection and says nothing. @returns ends it */
function watchHandshake(current: () => Stub, renew: () => Promise<void>): () => void {
  let waiting = 0
  const watch = setInterval(() => {
    const state = current().getChannel().getConnectivityState(false)
    waiting = state === connectivityState.READY || state === connectivityState.IDLE ? 0 : waiting + 1
    if (waiting < maxLooksUnconnected) return
    waiting = 0
    renew().catch(() => undefined)
  }, look)
  watch.unref()
  return () => clearInterval(watch)
}

/** For the service's front end, which routes by it. */
function routed(parameters: string): Metadata {
  const metadata = new Metadata()
  metadata.set('x-goog-request-params', parameters)
  return metadata
}

const routes = ['topic', 'subscription', 'name'] as const

interface Sending extends CallOptions {
  readonly closed: AbortSignal
  readonly doing: Doing
}

function unary<Answer>(
  stub: Stub,
  method: string,
  request: object,
  { signal, closed, timeout = callTimeout, doing }: Sending,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true || closed.aborted)
      return reject(translate({ code: status.CANCELLED, details: 'given up' }, doing))
    const fields = request as Readonly<Record<string, unknown>>
    const route = routes.find((name) => typeof fields[name] === 'string')
    const metadata = routed(route === undefined ? '' : `${route}=${encodeURIComponent(String(fields[route]))}`)
    const invoke = stub[method] as unknown as Unary
    const call = invoke.call(stub, request, metadata, { deadline: Date.now() + timeout }, (error, answer) => {
      signal?.removeEventListener('abort', cancel)
      closed.removeEventListener('abort', cancel)
      if (error === null) resolve(answer as Answer)
      else reject(translate(error, doing))
    })
    const cancel = (): void => call.cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    closed.addEventListener('abort', cancel, { once: true })
  })
}

/**
 * *Errors*: fatal `AuthenticationFailed` where there are no credentials, or Google's library takes none of those in a Secret;
 * it says why in their own words, which are not told.
 */
async function stubOf(
  client: { initialize(): Promise<unknown> },
  place: Pick<Doing, 'target' | 'field'>,
  secret: string | undefined,
): Promise<Stub> {
  try {
    return (await client.initialize()) as Stub
  } catch (thrown) {
    if (secret !== undefined)
      throw new BridgeError(`${secret} holds no credentials that can be used: put in the file as it was downloaded`, {
        kind: 'fatal',
        reason: 'AuthenticationFailed',
        cause: thrown,
      })
    throw translate(thrown, { permission: 'authentication', role: '', ...place })
  }
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
