/**
 * One Kafka broker, Kinesis endpoint, Pub/Sub emulator and Event Hubs namespace for a whole test run: the runner starts them and passes their addresses. A
 * test file run alone starts its own, which ends with the process. Share them by unique names, never by cleaning up.
 */
import { randomBytes } from 'node:crypto'
import { type EventHubsAdmin, type EventHubsServer, eventHubsAdmin, startEventHubs } from './event-hubs.ts'
import { startKafka } from './kafka.ts'
import { kinesisRegion, startKinesis } from './kinesis.ts'
import { startPubsub } from './pubsub.ts'

export const kafkaVariable = 'STREAMBRIDGE_TEST_KAFKA'
export const kinesisVariable = 'STREAMBRIDGE_TEST_KINESIS'
export const pubsubVariable = 'STREAMBRIDGE_TEST_PUBSUB'
export const eventHubsVariable = 'STREAMBRIDGE_TEST_EVENT_HUBS'
/** `containers`: a server that a conformance test has for itself is a container. Otherwise it is a local process. */
export const ownServersVariable = 'STREAMBRIDGE_TEST_OWN_SERVERS'

export const containersWanted = (): boolean => process.env[ownServersVariable] === 'containers'

let kafka: Promise<string> | undefined
let kinesis: Promise<string> | undefined
let eventHubs: Promise<string> | undefined
let pubsub: Promise<string> | undefined

/** host:port of the broker. */
export function sharedKafka(): Promise<string> {
  const given = process.env[kafkaVariable]
  kafka ??= given === undefined ? startKafka().then((server) => server.bootstrapServers) : Promise.resolve(given)
  return kafka
}

/** URL of the endpoint, and its region. One that is given may be another at the next call. */
export async function sharedKinesis(): Promise<{ readonly endpoint: string; readonly region: string }> {
  const given = process.env[kinesisVariable]
  if (given !== undefined) return { endpoint: given, region: kinesisRegion }
  kinesis ??= startKinesis().then((server) => server.endpoint)
  return { endpoint: await kinesis, region: kinesisRegion }
}

/** host:port of the emulator. */
export function sharedPubsub(): Promise<string> {
  const given = process.env[pubsubVariable]
  pubsub ??= given === undefined ? startPubsub().then((server) => server.address) : Promise.resolve(given)
  return pubsub
}

export interface SharedEventHubs {
  /** host:port. */
  readonly endpoint: string
  readonly admin: EventHubsAdmin
}

/** What the runner passes on of a namespace. */
export const eventHubsAddress = ({ endpoint, adminUrl }: EventHubsServer): string => `${endpoint} ${adminUrl}`

export async function sharedEventHubs(): Promise<SharedEventHubs> {
  const given = process.env[eventHubsVariable]
  eventHubs ??= given === undefined ? startEventHubs({ durable: false }).then(eventHubsAddress) : Promise.resolve(given)
  const [endpoint = '', adminUrl = ''] = (await eventHubs).split(' ')
  return { endpoint, admin: eventHubsAdmin(adminUrl) }
}

/** A name nobody else uses, for a topic, a stream, a group or a namespace: lower-case letters, digits and hyphens. */
export function uniqueName(stem: string | { readonly name: string }): string {
  const text = typeof stem === 'string' ? stem : stem.name
  const words = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return `${words.slice(0, 30).replaceAll(/^-+|-+$/g, '')}-${randomBytes(4).toString('hex')}`
}
