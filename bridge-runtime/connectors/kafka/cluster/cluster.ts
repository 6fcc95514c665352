/** Connections to the brokers of one cluster, and where its partitions live. */
import { type API, Connection, type ConnectionOptions, findCoordinatorV3, metadataV12 } from '@platformatic/kafka'
import { answerError, codeName, translate } from '../errors.ts'

/** Brokers answer one connection's requests in turn, so what may wait long has its own. */
export type Lane = 'control' | 'group' | 'fetch' | 'fetch-brief' | 'produce'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface PartitionPlace {
  /** Broker id; -1 while there is no leader. */
  readonly leader: number
  readonly leaderEpoch: number
}

export interface TopicPlace {
  readonly name: string
  /** Differs when a topic is deleted and made again under the same name. */
  readonly id: string
  readonly internal: boolean
  /** By partition number. */
  readonly partitions: readonly PartitionPlace[]
}

export interface ClusterOptions {
  readonly clientId: string
  readonly bootstrapServers: readonly string[]
  readonly connection: ConnectionOptions
  /** Milliseconds an unanswered request may take, by lane, where it is not the default. */
  readonly timeouts?: Partial<Readonly<Record<Lane, number>>>
}

/** Long enough for a busy broker, short enough to say within 30 s that one is gone. */
const defaultRequestTimeout = 10_000

/**
 * Rejections are BridgeErrors of `translate`. Connections are made when needed; a broken one is forgotten, so the next
 * request tries again.
 */
export class Cluster implements AsyncDisposable {
  readonly #options: ClusterOptions
  readonly #seeds: readonly Address[]
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #topics = new Map<string, TopicPlace>()
  readonly #failures = new Map<string, string>()
  /** Why a connection broke: its requests are only told that it closed. */
  readonly #broken = new WeakMap<Connection, Error>()
  #brokers = new Map<number, Address>()
  #closed = false

  constructor(options: ClusterOptions) {
    this.#options = options
    this.#seeds = options.bootstrapServers.map(address)
  }

  /** What `metadata` last said of a topic. */
  topic(name: string): TopicPlace | undefined {
    return this.#topics.get(name)
  }

  /** Kafka's error name of a topic that `metadata` last failed for. */
  failure(topic: string): string | undefined {
    return this.#failures.get(topic)
  }

  place(topic: string, partition: number): PartitionPlace | undefined {
    return this.#topics.get(topic)?.partitions[partition]
  }

  /**
   * Asks where the topics are; all of the cluster's with null. A topic that is missing or forbidden is in `failures` by
   * Kafka's error name.
   */
  async metadata(names: readonly string[] | null): Promise<{ topics: TopicPlace[]; failures: Map<string, string> }> {
    const response = await this.#metadata(names)
    this.#brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    const topics: TopicPlace[] = []
    const failures = new Map<string, string>()
    for (const topic of response.topics) {
      const name = topic.name ?? ''
      if (topic.errorCode !== 0) {
        failures.set(name, codeName(topic.errorCode))
        this.#failures.set(name, codeName(topic.errorCode))
        this.#topics.delete(name)
        continue
      }
      const partitions: PartitionPlace[] = []
      for (const { partitionIndex, leaderId, leaderEpoch } of topic.partitions) {
        partitions[partitionIndex] = { leader: leaderId, leaderEpoch }
      }
      const place = { name, id: topic.topicId, internal: topic.isInternal, partitions }
      this.#topics.set(name, place)
      this.#failures.delete(name)
      topics.push(place)
    }
    return { topics, failures }
  }

  async #metadata(names: readonly string[] | null): Promise<metadataV12.MetadataResponse> {
    const connection = await this.#any()
    try {
      return await this.#request(connection, metadataV12.api, names === null ? null : [...names], false, false)
    } catch (thrown) {
      // The client rejects when any topic has an error, and attaches the answer.
      if (thrown instanceof Error && 'response' in thrown) return thrown.response as metadataV12.MetadataResponse
      throw translate(thrown, 'asking for metadata')
    }
  }

  /** The broker that looks after a consumer group. */
  async coordinator(group: string): Promise<Address> {
    const what = `finding the coordinator of consumer group "${group}"`
    const connection = await this.#any()
    try {
      const { coordinators } = await this.#request(connection, findCoordinatorV3.api, 0, [group])
      const [found] = coordinators
      if (found === undefined) throw answerError('COORDINATOR_NOT_AVAILABLE', what)
      return { host: found.host, port: found.port }
    } catch (thrown) {
      throw translate(thrown, what)
    }
  }

  /** Address of a broker by its id; rejects where metadata does not know it. */
  broker(id: number): Address {
    const found = this.#brokers.get(id)
    if (found === undefined) throw answerError('LEADER_NOT_AVAILABLE', `looking for broker ${id}`)
    return found
  }

  /** Sends one request. Rejects with the client's own error; `translate` it with what it was for. */
  async send<Arguments extends unknown[], Response>(
    to: { readonly broker: Address; readonly lane: Lane },
    api: API<Arguments, Response>,
    ...request: Arguments
  ): Promise<Response> {
    const connection = await this.connection(to.broker, to.lane)
    return this.#request(connection, api, ...request)
  }

  async #request<Arguments extends unknown[], Response>(
    connection: Connection,
    api: API<Arguments, Response>,
    ...request: Arguments
  ): Promise<Response> {
    try {
      return await api.async(connection, ...request)
    } catch (thrown) {
      const closed = thrown instanceof Error && !('response' in thrown)
      throw (closed ? this.#broken.get(connection) : undefined) ?? thrown
    }
  }

  connection(broker: Address, lane: Lane): Promise<Connection> {
    const key = `${lane} ${broker.host}:${broker.port}`
    const existing = this.#connections.get(key)
    if (existing !== undefined) return existing
    const made = this.#connect(broker, lane, () => {
      if (this.#connections.get(key) === made) this.#connections.delete(key)
    })
    this.#connections.set(key, made)
    return made
  }

  async #connect(broker: Address, lane: Lane, gone: () => void): Promise<Connection> {
    const { clientId, connection: options, timeouts } = this.#options
    const connection = new Connection(clientId, {
      ...options,
      requestTimeout: timeouts?.[lane] ?? defaultRequestTimeout,
    })
    // Without a listener an `error` event would end the process. A closed connection is replaced at the next request.
    connection.on('error', (error) => {
      this.#broken.set(connection, error)
      gone()
    })
    connection.on('close', gone)
    connection.on('closing', gone)
    try {
      if (this.#closed) throw new Error('closed')
      await connection.connect(broker.host, broker.port)
      return connection
    } catch (thrown) {
      gone()
      throw translate(thrown, `connecting to broker ${broker.host}:${broker.port}`)
    }
  }

  /** Any broker that answers: the known ones first, then the ones of the configuration. */
  async #any(): Promise<Connection> {
    let failure: unknown
    for (const candidate of [...this.#brokers.values(), ...this.#seeds]) {
      try {
        return await this.connection(candidate, 'control')
      } catch (thrown) {
        failure = thrown
      }
    }
    throw translate(failure, 'connecting')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const open = [...this.#connections.values()]
    this.#connections.clear()
    await Promise.allSettled(open.map(async (connection) => (await connection).close()))
  }
}

function address(server: string): Address {
  const colon = server.lastIndexOf(':')
  return { host: server.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(server.slice(colon + 1)) }
}
