/** One member of a consumer group (the classic protocol): joining, heartbeats, committed positions, leaving. */
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  heartbeatV3,
  joinGroupV5,
  leaveGroupV3,
  offsetCommitV7,
  offsetFetchV6,
  syncGroupV3,
} from '@platformatic/kafka'
import { assign, type GroupMember } from './assignor.ts'
import { type TopicPartition } from '../protocol/topic-partition.ts'
import type { Address, Cluster } from '../cluster/cluster.ts'
import { codeName, protocolError, translate } from '../errors.ts'

export interface MembershipOptions {
  readonly cluster: Cluster
  readonly group: string
  /** Milliseconds. */
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
}

/** ok; rebalance: join again; lost: the group has thrown this member out, its partitions belong to others. */
export type Pulse = 'ok' | 'rebalance' | 'lost'

export interface Committed {
  readonly offset: number
  readonly metadata: string
}

export interface Commit extends TopicPartition, Committed {}

/** The group no longer knows this member or its generation. */
export class MembershipLost extends Error {}

const protocol = 'cooperative-sticky'
const lostErrors = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])
const coordinatorErrors = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS'])

export class Membership {
  readonly #options: MembershipOptions
  #memberId = ''
  #generation = -1
  #coordinator: Promise<Address> | undefined

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  get generation(): number {
    return this.#generation
  }

  /**
   * Takes part in one round and returns what this member may work on. `counts` must know every topic's partitions: the
   * member that the broker makes leader shares them out. Rejects with MembershipLost or a BridgeError.
   */
  async join(
    topics: readonly string[],
    owned: readonly TopicPartition[],
    counts: ReadonlyMap<string, number>,
  ): Promise<readonly TopicPartition[]> {
    const { group, sessionTimeout, rebalanceTimeout } = this.#options
    const subscription = encodeConsumerProtocolSubscription({
      version: 2,
      topics: [...topics],
      userData: generationBytes(this.#generation),
      ownedPartitions: byTopic(owned).map(([topic, ones]) => ({ topic, partitions: ones.map((one) => one.partition) })),
      generationId: this.#generation,
    })
    const joined = await this.#ask('joining', async (broker) => {
      const metadata = [{ name: protocol, metadata: subscription }]
      const join = () =>
        this.#options.cluster.send(
          { broker, lane: 'group' },
          joinGroupV5.api,
          group,
          sessionTimeout,
          rebalanceTimeout,
          this.#memberId,
          null,
          'consumer',
          metadata,
        )
      try {
        return await join()
      } catch (thrown) {
        const given = memberIdGiven(thrown)
        if (given === undefined) throw thrown
        this.#memberId = given
        return await join()
      }
    })
    this.#memberId = joined.memberId
    const leads = joined.leader === joined.memberId
    const assignments = leads ? share(joined.members, await this.#countsOfAll(joined.members, counts)) : []
    const { assignment } = await this.#ask('synchronising', (broker) =>
      this.#options.cluster.send(
        { broker, lane: 'group' },
        syncGroupV3.api,
        group,
        joined.generationId,
        joined.memberId,
        null,
        'consumer',
        protocol,
        assignments,
      ),
    )
    this.#generation = joined.generationId
    return decodeConsumerProtocolAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
  }

  /** Other members may read other topics: the leader shares those out too, or they get nothing. */
  async #countsOfAll(members: readonly joinGroupV5.JoinGroupResponseMember[], counts: ReadonlyMap<string, number>) {
    const named = members.flatMap(({ metadata }) => decodeConsumerProtocolSubscription(metadata).topics)
    const others = [...new Set(named)].filter((topic) => !counts.has(topic))
    if (others.length === 0) return counts
    const { topics } = await this.#options.cluster.metadata(others)
    return new Map([...counts, ...topics.map(({ name, partitions }) => [name, partitions.length] as const)])
  }

  /** Rejects with a BridgeError when the coordinator cannot be asked. */
  async heartbeat(): Promise<Pulse> {
    try {
      await this.#ask('the heartbeat', (broker) =>
        this.#options.cluster.send(
          { broker, lane: 'control' },
          heartbeatV3.api,
          this.#options.group,
          this.#generation,
          this.#memberId,
          null,
        ),
      )
      return 'ok'
    } catch (thrown) {
      if (thrown instanceof MembershipLost) return 'lost'
      if (protocolError(thrown) === 'REBALANCE_IN_PROGRESS') return 'rebalance'
      throw thrown
    }
  }

  /** Writes positions and returns Kafka's error name for each, `NONE` where all is well. Rejects with a BridgeError. */
  async commit(commits: readonly Commit[]): Promise<string[]> {
    const { group, cluster } = this.#options
    const topics = byTopic(commits).map(([name, ones]) => ({
      name,
      partitions: ones.map(({ partition, offset, metadata }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: metadata,
      })),
    }))
    const { topics: answers } = await this.#ask('committing', async (broker) => {
      const to = { broker, lane: 'control' } as const
      try {
        return await cluster.send(to, offsetCommitV7.api, group, this.#generation, this.#memberId, null, topics)
      } catch (thrown) {
        // One partition's error makes the client reject: the answer has them all.
        const answer = responseOf(thrown) as offsetCommitV7.OffsetCommitResponse | undefined
        if (answer === undefined || coordinatorErrors.has(protocolError(thrown) ?? '')) throw thrown
        return answer
      }
    })
    const codes = new Map(
      answers.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => [`${name}/${partitionIndex}`, errorCode] as const),
      ),
    )
    return commits.map(({ topic, partition }) => codeName(codes.get(`${topic}/${partition}`) ?? -1))
  }

  /** The positions the group has for these topics, by `topic/partition`; absent where it has none. */
  async committed(topics: ReadonlyMap<string, number>): Promise<Map<string, Committed>> {
    const { group, cluster } = this.#options
    const wanted = [...topics].map(([name, count]) => ({
      name,
      partitionIndexes: Array.from({ length: count }, (_, index) => index),
    }))
    const answer = await this.#ask('reading committed positions', (broker) =>
      cluster.send({ broker, lane: 'control' }, offsetFetchV6.api, [{ groupId: group, topics: wanted }], false),
    )
    const found = new Map<string, Committed>()
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, committedOffset, metadata } of partitions) {
        if (committedOffset < 0n) continue
        found.set(`${name}/${partitionIndex}`, { offset: Number(committedOffset), metadata: metadata ?? '' })
      }
    }
    return found
  }

  /** Gives everything to the others at once instead of after the session timeout. Never rejects. */
  async leave(): Promise<void> {
    const { group, cluster } = this.#options
    const memberId = this.#memberId
    this.#memberId = ''
    if (memberId === '') return
    await this.#ask('leaving', (broker) =>
      cluster.send({ broker, lane: 'control' }, leaveGroupV3.api, group, [{ memberId }]),
    ).catch(() => undefined)
  }

  /** Nothing is owned any more: the next `join` claims nothing. */
  forgetGeneration(): void {
    this.#generation = -1
  }

  async #ask<Answer>(verb: string, request: (coordinator: Address) => Promise<Answer>): Promise<Answer> {
    const { cluster, group } = this.#options
    this.#coordinator ??= cluster.coordinator(group)
    const asked = this.#coordinator
    try {
      return await request(await asked)
    } catch (thrown) {
      const name = protocolError(thrown)
      if (name !== undefined && lostErrors.has(name)) {
        // A wrong generation can be mended by joining again under the same id.
        if (name !== 'ILLEGAL_GENERATION') this.#memberId = ''
        throw new MembershipLost(name)
      }
      // Whoever does not answer, or says it is not the one, is looked for again.
      if ((name === undefined || coordinatorErrors.has(name)) && this.#coordinator === asked)
        this.#coordinator = undefined
      throw translate(thrown, `consumer group "${group}": ${verb}`)
    }
  }
}

/** The broker wants a member to join twice: the first answer tells it its id. */
function memberIdGiven(thrown: unknown): string | undefined {
  if (protocolError(thrown) !== 'MEMBER_ID_REQUIRED') return undefined
  return (responseOf(thrown) as { memberId: string } | undefined)?.memberId
}

/** The client attaches the answer to its error. */
const responseOf = (thrown: unknown): unknown =>
  thrown instanceof Error && 'response' in thrown ? thrown.response : undefined

function share(members: readonly joinGroupV5.JoinGroupResponseMember[], counts: ReadonlyMap<string, number>) {
  const group = members.map(({ memberId, metadata }): GroupMember => {
    const { topics, ownedPartitions, generationId } = decodeConsumerProtocolSubscription(metadata)
    const owned = ownedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    return { id: memberId, topics, owned, generation: generationId }
  })
  return [...assign(group, counts)].map(([memberId, partitions]) => ({
    memberId,
    assignment: encodeConsumerProtocolAssignment({
      version: 1,
      assignedPartitions: byTopic(partitions).map(([topic, ones]) => ({
        topic,
        partitions: ones.map(({ partition }) => partition),
      })),
    }),
  }))
}

const byTopic = <T extends TopicPartition>(ones: readonly T[]): [string, T[]][] => [
  ...Map.groupBy(ones, ({ topic }) => topic),
]

/** Where Java's cooperative-sticky assignor looks for the generation. */
function generationBytes(generation: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(generation)
  return bytes
}
