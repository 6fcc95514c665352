import type { PlainRecord } from '../../conformance/harness.ts'
import {
  createTopic,
  type PlainMessage,
  publish,
  type PulledMessage,
  pubsubProject,
  pullAll,
} from '../../support/pubsub.ts'

/** A topic, a subscription of the same name, and one more to look at what was published. */
export const createStream = (address: string, stream: string): Promise<void> =>
  createTopic(address, stream, [stream, verifier(stream)])

const verifier = (stream: string): string => `${stream}-verify`

export const sourceConfig = (address: string, subscription: string, more: object = {}): object => ({
  projectID: pubsubProject,
  endpoint: `http://${address}`,
  subscription,
  ...more,
})

export const sinkConfig = (address: string, topic: string, more: object = {}): object => ({
  projectID: pubsubProject,
  endpoint: `http://${address}`,
  topic,
  ...more,
})

/** As the guide says that records are carried. */
const messageOf = ({ key, value, headers = {}, timestamp }: PlainRecord): PlainMessage => {
  const attributes: Record<string, string> = { ...headers }
  if (value === null) attributes['streambridge-null-value'] = 'true'
  // A message without data needs an attribute.
  if (timestamp !== undefined || (value ?? '').length === 0)
    attributes['streambridge-timestamp'] = String(timestamp ?? Date.now())
  return { key: key ?? undefined, data: value ?? Buffer.alloc(0), attributes }
}

const recordOf = ({ orderingKey, data, attributes }: PulledMessage): PlainRecord => {
  const { 'streambridge-timestamp': timestamp, 'streambridge-null-value': isNull, ...headers } = attributes
  return {
    key: orderingKey === '' ? null : orderingKey,
    value: isNull === undefined ? data : null,
    headers,
    ...(timestamp === undefined ? {} : { timestamp: Number(timestamp) }),
  }
}

export const produce = (address: string, stream: string, records: readonly PlainRecord[]): Promise<void> =>
  publish(address, stream, records.map(messageOf))

const seen = new Map<string, PlainRecord[]>()

/** What was published since the stream was made: what a subscription gave is kept here. */
export async function readAll(address: string, stream: string): Promise<readonly PlainRecord[]> {
  const all = seen.get(stream) ?? []
  seen.set(stream, all)
  all.push(...(await pullAll(address, verifier(stream))).map(recordOf))
  return all
}
