import { bytes } from '../../../crds/kit/units.ts'
import type { Sink, SinkBatch } from '../../core/contracts.ts'
import { heldBack } from '../../core/delivery/held-back.ts'
import { asBridgeError, BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { type WriteOutcome, writing } from '../requests/write-outcome.ts'
import { type Connection, connect, type PubsubMessage } from './connection.ts'
import type { Doing } from './errors.ts'
import { messageOf, orderingKeyOf } from './message.ts'
import { type KeyBatch, Publishing } from './publish/publishing.ts'
import type { PubsubSinkConfig } from './schema.ts'

/** Opens a topic for writing. The connection is made by `open` of the sink. */
export const openPubsubSink = async (config: PubsubSinkConfig, context: ConnectorContext): Promise<Sink> =>
  pubsubSink(() => connect('PublisherClient', config, context), config, context)

export function pubsubSink(
  connecting: () => Promise<Connection>,
  { projectID, topic: id, orderingKey, limits }: PubsubSinkConfig,
  { log }: Pick<ConnectorContext, 'log'>,
): Sink {
  const topic = `projects/${projectID}/topics/${id}`
  const target = `topic ${topic}`
  const maxBytes = bytes(limits.maxRequestBytes)
  const publish: Doing = { permission: 'pubsub.topics.publish', role: 'roles/pubsub.publisher', target }
  const look: Doing = { permission: 'pubsub.topics.get', role: 'roles/pubsub.viewer', target }
  let connection: Connection | undefined
  const publishing = new Publishing({
    async publish(messages) {
      if (connection === undefined) throw new TypeError('the sink is not open')
      await connection.call('publish', { topic, messages }, publish)
    },
    maxMessages: limits.maxMessages,
    maxBytes,
    maxRequests: limits.maxRequests,
  })

  return {
    limits: { maxRecords: limits.maxMessages, maxBytes },
    async open(signal) {
      connection ??= await connecting()
      try {
        await connection.call('getTopic', { topic }, look, { signal })
      } catch (thrown) {
        const error = asBridgeError(thrown)
        if (error.reason !== 'AccessDenied') throw error
        // One who may publish need not be allowed to look.
        log.info(`${target} cannot be looked at (${error.message}); the first write will show whether it exists`)
      }
    },
    write: (batch, signal, stored) =>
      writing({ count: batch.count, signal, stored }, (outcome) => {
        for (const keyBatch of keyBatchesOf(batch, orderingKey === 'FromSourceKey', outcome)) publishing.add(keyBatch)
      }),
    async [Symbol.asyncDispose]() {
      connection?.close()
    },
  }
}

interface Filling extends KeyBatch {
  readonly messages: PubsubMessage[]
  readonly sizes: number[]
  readonly indexes: number[]
}

/** One batch per ordering key. What the service would refuse is settled here. */
function keyBatchesOf(batch: SinkBatch, keyed: boolean, outcome: WriteOutcome): Iterable<KeyBatch> {
  const batches = new Map<string, Filling>()
  const refused = new Set<string>()
  for (const [index, record] of batch.records().entries()) {
    const key = keyed ? orderingKeyOf(record.key) : ''
    const outgoing = messageOf(record, batch.origin, key)
    const failure = outgoing instanceof BridgeError ? outgoing : refused.has(key) ? heldBack : undefined
    if (failure !== undefined || outgoing instanceof BridgeError) {
      // What follows a refused record of its key is held back as well: the refused one may yet be dead-lettered first.
      if (key !== '') refused.add(key)
      outcome.settle(index, failure)
      continue
    }
    const own = batches.get(key) ?? emptyKeyBatch(key, outcome)
    if (own.messages.length === 0) batches.set(key, own)
    own.messages.push(outgoing.message)
    own.sizes.push(outgoing.bytes)
    own.indexes.push(index)
  }
  return batches.values()
}

function emptyKeyBatch(key: string, { settle, isOpen }: WriteOutcome): Filling {
  const indexes: number[] = []
  return {
    key,
    messages: [],
    sizes: [],
    indexes,
    done(from, to, failure) {
      for (const index of indexes.slice(from, to)) settle(index, failure)
    },
    abandoned: () => !indexes.some(isOpen),
  }
}
