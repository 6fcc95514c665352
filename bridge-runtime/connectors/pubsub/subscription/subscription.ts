/** Looks a subscription up, makes it where that is wanted, and tells what is unwise about it. */
import { randomUUID } from 'node:crypto'
import { milliseconds } from '../../../../crds/kit/units.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { ConnectorContext } from '../../define-connector.ts'
import type { Connection, SubscriptionSettings } from '../connection.ts'
import { grpcStatus } from '../errors.ts'
import { birthLabel, type Look } from './identity.ts'
import type { PubsubSourceConfig } from '../schema.ts'

type Names = Pick<PubsubSourceConfig, 'projectID' | 'subscription' | 'topic'>

/** `projects/P/subscriptions/S`; the name of one that the bridge makes says whose it is. */
export const subscriptionName = ({ projectID, subscription }: Names, bridge: ConnectorContext['bridge']): string =>
  `projects/${projectID}/subscriptions/${subscription ?? `streambridge.${bridge.namespace}.${bridge.name}`}`

/** The topic that the manifest names, as the service does. */
export const topicName = ({ projectID, topic }: Names): string | undefined =>
  topic === undefined ? undefined : `projects/${projectID}/topics/${topic}`

/** What the service says of the subscription. *Errors*: what a call can fail with. */
export async function lookAt(connection: Pick<Connection, 'call'>, name: string, signal: AbortSignal): Promise<Look> {
  const doing = { permission: 'pubsub.subscriptions.get', role: 'roles/pubsub.viewer', target: `subscription ${name}` }
  try {
    return await connection.call<SubscriptionSettings>('getSubscription', { subscription: name }, doing, { signal })
  } catch (thrown) {
    if (!(thrown instanceof BridgeError)) throw thrown
    if (thrown.reason === 'AccessDenied') return 'hidden'
    if (thrown.reason === 'SubscriptionNotFound') return 'missing'
    throw thrown
  }
}

/**
 * The subscription as it can be read; made where it is missing and that is wanted. `hidden` passes through.
 * *Errors*: fatal `SubscriptionNotFound`, `NotAPullSubscription`, `SubscriptionDetached`, and what a call can fail with.
 */
export async function readable(
  connection: Pick<Connection, 'call'>,
  config: PubsubSourceConfig,
  { name, look }: { readonly name: string; readonly look: Look },
  signal: AbortSignal,
): Promise<SubscriptionSettings | 'hidden'> {
  if (look === 'hidden') return look
  if (look !== 'missing') return pullable(look, name)
  const made = await create(connection, config, name, signal)
  if (made !== undefined) return made
  throw new BridgeError(
    `subscription ${name} does not exist; create it, or let the bridge do so with spec.source.pubsub.topic and createSubscription`,
    { kind: 'fatal', reason: 'SubscriptionNotFound' },
  )
}

async function create(
  connection: Pick<Connection, 'call'>,
  config: PubsubSourceConfig,
  name: string,
  signal: AbortSignal,
): Promise<SubscriptionSettings | undefined> {
  const { createSubscription: wanted } = config
  const topic = topicName(config)
  if (wanted === undefined || topic === undefined) return undefined
  const request = {
    name,
    topic,
    ackDeadlineSeconds: Math.ceil(milliseconds(wanted.ackDeadline) / 1000),
    enableMessageOrdering: wanted.messageOrdering,
    enableExactlyOnceDelivery: wanted.exactlyOnceDelivery,
    messageRetentionDuration: { seconds: Math.ceil(milliseconds(wanted.retention) / 1000) },
    labels: { [birthLabel]: randomUUID() },
    // The service deletes what nobody has read for a month; a bridge may rest longer.
    expirationPolicy: {},
  }
  const doing = {
    permission: 'pubsub.subscriptions.create and pubsub.topics.attachSubscription',
    role: 'roles/pubsub.editor',
    // A missing topic is what can be missing here.
    target: `topic ${request.topic} for subscription ${name}`,
  }
  try {
    return await connection.call<SubscriptionSettings>('createSubscription', request, doing, { signal })
  } catch (thrown) {
    const already = thrown instanceof BridgeError && grpcStatus(thrown) === alreadyExists
    if (!already) throw thrown
    // Another replica was faster.
    const look = await lookAt(connection, name, signal)
    if (typeof look !== 'string') return look
    throw thrown
  }
}

const alreadyExists = 6

function pullable(found: SubscriptionSettings, name: string): SubscriptionSettings {
  const { pushConfig, bigqueryConfig, cloudStorageConfig, detached } = found
  const how =
    (pushConfig?.pushEndpoint ?? '') !== ''
      ? 'is pushed to an endpoint'
      : (bigqueryConfig ?? cloudStorageConfig)
        ? 'is an export'
        : undefined
  if (how !== undefined)
    throw new BridgeError(`subscription ${name} ${how}: a bridge needs a pull subscription of its own`, {
      kind: 'fatal',
      reason: 'NotAPullSubscription',
    })
  if (detached === true)
    throw new BridgeError(`subscription ${name} is detached from its topic: nothing comes any more; make a new one`, {
      kind: 'fatal',
      reason: 'SubscriptionDetached',
    })
  return found
}

/** What a person should know of the subscription, in words. */
export function warningsOf(settings: SubscriptionSettings, name: string): string[] {
  const { deadLetterPolicy, enableMessageOrdering } = settings
  const warnings: string[] = []
  if (enableMessageOrdering !== true)
    warnings.push(
      `subscription ${name} has no message ordering: messages of one ordering key may come in any order; make a subscription with it`,
    )
  if ((deadLetterPolicy?.deadLetterTopic ?? '') !== '')
    warnings.push(
      `subscription ${name} has a dead-letter policy (after ${deadLetterPolicy?.maxDeliveryAttempts ?? 5} deliveries): after crashes the service may move good messages there, out of their order; remove it and use delivery.deadLetter`,
    )
  return warnings
}
