/** An event hub as the connector sees it, over one connection that is made when it is needed and made anew when it is lost. */
import type { ReceiverOptions } from 'rhea'
import rhea from 'rhea'
import type { Clock } from '../../core/clock.ts'
import { BridgeError } from '../../core/errors.ts'
import type { FoundStream } from '../../history/content.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { type Withholding, withholding } from '../requests/withholding.ts'
import { AmqpConnection } from './amqp/connection.ts'
import { openReceiver, openSender, type ReceiverHandlers, type ReceiverLink, type SenderLink } from './amqp/links.ts'
import { type Access, readConnectionString, signatureOf } from './connection-string.ts'
import { ConnectionLost, type Right, translate } from './errors.ts'
import { Requests } from './amqp/request-link.ts'
import type { EventHubsConnectionConfig } from './schema.ts'

export interface PartitionProperties {
  /** Sequence number of the oldest event kept; says nothing when it is empty. */
  readonly begin: number
  /** Sequence number of the newest event ever stored; -1 before the first. */
  readonly last: number
  readonly empty: boolean
}

export interface HubProperties {
  readonly partitions: readonly string[]
  /** Which hub it is that has the name: one that is made again has another time of creation. */
  readonly stream: FoundStream
}

export interface ReadingFrom {
  readonly partition: string
  readonly consumerGroup: string
  /** The owner level: the service ends the link of every reader of the group with a smaller one. */
  readonly epoch: number
  /** A filter in the service's language; undefined: from the first event. */
  readonly filter: string | undefined
  readonly reader: string
}

/** What the connector needs of the service. Every call rejects with a BridgeError within a deadline; none is repeated here. */
export interface HubApi extends AsyncDisposable {
  readonly name: string
  /** In the history. */
  readonly streamName: string
  describe(signal?: AbortSignal): Promise<HubProperties>
  properties(partition: string, signal?: AbortSignal): Promise<PartitionProperties>
  read(from: ReadingFrom, handlers: ReadHandlers, signal?: AbortSignal): Promise<ReceiverLink>
  sender(partition: string): Promise<SenderLink>
  /** Makes a BridgeError of what a link said. */
  translated(thrown: unknown, doing: string): BridgeError
}

export interface ReadHandlers {
  /** An event as it came, encoded. */
  message(encoded: Buffer): void
  ended(error: BridgeError): void
}

interface Connected {
  readonly amqp: AmqpConnection
  readonly requests: Requests
  readonly endpoint: string
  /** Audience → its token was put. */
  readonly tokens: Map<string, Promise<void>>
}

/** Seconds a token is good for, and milliseconds after which it is put anew. */
const tokenLife = 3_600
const renewAfter = 45 * 60_000

export class Hub implements HubApi {
  readonly name: string
  readonly #config: EventHubsConnectionConfig
  readonly #context: Pick<ConnectorContext, 'secret' | 'clock' | 'bridge' | 'replica' | 'field'>
  readonly #right: Right
  readonly #secrets: Withholding
  #connected: Promise<Connected> | undefined
  #closed = false

  constructor(
    config: EventHubsConnectionConfig,
    context: Pick<ConnectorContext, 'secret' | 'clock' | 'bridge' | 'replica' | 'field'>,
    right: Right,
  ) {
    this.name = config.eventHubName
    this.#config = config
    this.#context = context
    this.#right = right
    this.#secrets = withholding(context.secret)
  }

  translated(thrown: unknown, doing: string): BridgeError {
    const where = `event hub ${this.name} in ${this.#config.fullyQualifiedNamespace}`
    return translate(thrown, {
      doing: `${doing} ${where}`,
      right: this.#right,
      field: this.#context.field,
      withhold: this.#secrets.withhold,
    })
  }

  /** Hubs and namespaces are the same in capitals and in small letters. */
  get streamName(): string {
    return `event hub ${this.name} of ${this.#config.fullyQualifiedNamespace}`.toLowerCase()
  }

  async describe(signal?: AbortSignal): Promise<HubProperties> {
    const found = await this.#describe('looking up', { type: 'com.microsoft:eventhub' }, signal)
    const created = found['created_at']
    const birth = created instanceof Date ? `created ${created.toISOString()}` : undefined
    return { partitions: [found['partition_ids']].flat().map(String), stream: { name: this.streamName, birth } }
  }

  async properties(partition: string, signal?: AbortSignal): Promise<PartitionProperties> {
    const asked = { type: 'com.microsoft:partition', partition }
    const found = await this.#describe(`looking up partition ${partition} of`, asked, signal)
    return {
      begin: Number(found['begin_sequence_number']),
      last: Number(found['last_enqueued_sequence_number']),
      empty: found['is_partition_empty'] === true,
    }
  }

  async read(from: ReadingFrom, handlers: ReadHandlers, signal?: AbortSignal): Promise<ReceiverLink> {
    const doing = `reading partition ${from.partition} in consumer group ${from.consumerGroup} of`
    const path = `${this.name}/ConsumerGroups/${from.consumerGroup}/Partitions/${from.partition}`
    return await this.#call(doing, async () => {
      const connected = await this.#authorized(path)
      const translated: ReceiverHandlers = {
        message: (encoded) => handlers.message(encoded),
        ended: (error) => handlers.ended(this.translated(error, doing)),
      }
      return await openReceiver(connected.amqp, receiverOptions(path, from), translated, signal)
    })
  }

  async sender(partition: string): Promise<SenderLink> {
    const path = `${this.name}/Partitions/${partition}`
    return await this.#call(`writing partition ${partition} of`, async () => {
      const { amqp } = await this.#authorized(path)
      const { bridge, replica } = this.#context
      return await openSender(amqp, path, `${bridge.namespace}/${bridge.name}/${replica}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const connected = await this.#connected?.catch(() => undefined)
    await connected?.amqp.close()
  }

  async #describe(
    doing: string,
    properties: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, unknown>>> {
    return await this.#call(doing, async () => {
      const { requests, endpoint } = await this.#authorized(`${this.name}/$management`)
      const request = {
        body: rhea.message.data_section(Buffer.from('[]')),
        application_properties: {
          operation: 'READ',
          name: this.name,
          ...properties,
          security_token: await this.#token(`${endpoint}${this.name}`),
        },
      }
      const { body } = await requests.ask('$management', request, signal)
      return body as Readonly<Record<string, unknown>>
    })
  }

  async #call<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      throw this.translated(thrown, doing)
    }
  }

  /** A connection on which a token for the path was put. */
  async #authorized(path: string): Promise<Connected> {
    const connected = await this.#connection()
    const audience = `${connected.endpoint}${path}`
    let put = connected.tokens.get(audience)
    if (put === undefined) {
      put = this.#putToken(connected, audience)
      connected.tokens.set(audience, put)
      put.catch(() => connected.tokens.delete(audience))
    }
    await put
    return connected
  }

  #connection(): Promise<Connected> {
    if (this.#closed) return Promise.reject(new ConnectionLost('the connection was closed'))
    if (this.#connected !== undefined) return this.#connected
    const connecting = this.#connect()
    const forget = (): void => {
      if (this.#connected === connecting) this.#connected = undefined
    }
    connecting.then(({ amqp }) => amqp.ended.addEventListener('abort', forget, { once: true }), forget)
    this.#connected = connecting
    return connecting
  }

  async #connect(): Promise<Connected> {
    const access = await this.#access()
    const amqp = await AmqpConnection.open(access, this.#context.clock)
    const connected: Connected = { amqp, requests: new Requests(amqp), endpoint: access.endpoint, tokens: new Map() }
    void this.#renew(connected, this.#context.clock)
    return connected
  }

  async #renew(connected: Connected, clock: Clock): Promise<void> {
    const { ended } = connected.amqp
    for (;;) {
      await clock.sleep(renewAfter, ended)
      if (ended.aborted) return
      // One that cannot be renewed is left to run out: the service then ends the link, and that is reported.
      const puts = [...connected.tokens.keys()].map((audience) => this.#putToken(connected, audience))
      await Promise.allSettled(puts)
    }
  }

  async #putToken({ requests }: Connected, audience: string): Promise<void> {
    await requests.ask('$cbs', {
      to: '$cbs',
      body: await this.#token(audience),
      application_properties: {
        operation: 'put-token',
        name: audience,
        type: 'servicebus.windows.net:sastoken',
      },
    })
  }

  async #token(audience: string): Promise<string> {
    const expires = Math.floor(this.#context.clock.now() / 1000) + tokenLife
    return signatureOf(audience, expires, await this.#access())
  }

  /** Read each time, so that a rotated Secret is followed. */
  async #access(): Promise<Access> {
    const { fullyQualifiedNamespace, eventHubName, auth } = this.#config
    const ref = auth.connectionStringSecretRef
    const text = (await this.#secrets.secret(ref)).toString('utf8')
    const where = `Secret ${ref.name}, key ${ref.key},`
    return readConnectionString(text, { fullyQualifiedNamespace, eventHubName, where, field: this.#context.field })
  }
}

const receiverOptions = (address: string, { epoch, filter, reader }: ReadingFrom): ReceiverOptions => ({
  source: {
    address,
    ...(filter === undefined
      ? {}
      : {
          filter: {
            'apache.org:selector-filter:string': rhea.types.wrap_described(filter, 0x468c_0000_0004),
          },
        }),
  },
  target: { address: reader },
  properties: {
    'com.microsoft:receiver-name': reader,
    'com.microsoft:epoch': rhea.types.wrap_long(epoch),
  },
  desired_capabilities: ['com.microsoft:georeplication', 'com.microsoft:enable-receiver-runtime-metric'],
})
