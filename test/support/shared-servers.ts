/**
 * One Kafka broker, one Kinesis endpoint and one Pub/Sub emulator for a whole test run: the runner starts them and passes their addresses. A
 * test file run alone starts its own, which ends with the process. Share them by unique names, never by cleaning up.
 */
import { randomBytes } from 'node:crypto'
import { startKafka } from './kafka.ts'
import { kinesisRegion, startKinesis } from './kinesis.ts'
import { startPubsub } from './pubsub.ts'

export const kafkaVariable = 'STREAMBRIDGE_TEST_KAFKA'
export const kinesisVariable = 'STREAMBRIDGE_TEST_KINESIS'
export const pubsubVariable = 'STREAMBRIDGE_TEST_PUBSUB'

let kafka: Promise<string> | undefined
let kinesis: Promise<string> | undefined
let pubsub: Promise<string> | undefined

/** host:port of the broker. */
export function sharedKafka(): Promise<string> {
  const given = process.env[kafkaVariable]
  kafka ??= given === undefined ? startKafka().then((server) => server.bootstrapServers) : Promise.resolve(given)
  return kafka
}

/** URL of the endpoint, and its region. */
export async function sharedKinesis(): Promise<{ readonly endpoint: string; readonly region: string }> {
  const given = process.env[kinesisVariable]
  kinesis ??= given === undefined ? startKinesis().then((server) => server.endpoint) : Promise.resolve(given)
  return { endpoint: await kinesis, region: kinesisRegion }
}

/** host:port of the emulator. */
export function sharedPubsub(): Promise<string> {
  const given = process.env[pubsubVariable]
  pubsub ??= given === undefined ? startPubsub().then((server) => server.address) : Promise.resolve(given)
  return pubsub
}

/** A name nobody else uses, for a topic, a stream, a group or a namespace: lower-case letters, digits and hyphens. */
export function uniqueName(stem: string | { readonly name: string }): string {
  const text = typeof stem === 'string' ? stem : stem.name
  const words = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return `${words.slice(0, 30).replaceAll(/^-+|-+$/g, '')}-${randomBytes(4).toString('hex')}`
}
