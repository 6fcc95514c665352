/**
 * A loop as one writes it in an afternoon with the brokers' SDKs: `node main.ts JSON` with a `NaiveOrder`. It answers
 * `GET /status` as the runtime does, with what it has written.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fromEventHubs, toEventHubs } from './event-hubs.ts'
import { fromKafka, toKafka } from './kafka.ts'
import { fromKinesis, toKinesis } from './kinesis.ts'
import type { NaiveOrder, Place, SourcePlace, Stored, Write } from './loop.ts'
import { fromPubsub, toPubsub } from './pubsub.ts'

const sources = {
  kafka: fromKafka,
  kinesis: fromKinesis,
  pubsub: fromPubsub,
  eventHubs: fromEventHubs,
} satisfies Record<Place['broker'], (place: SourcePlace, write: Write) => unknown>
const sinks = { kafka: toKafka, kinesis: toKinesis, pubsub: toPubsub, eventHubs: toEventHubs } satisfies Record<
  Place['broker'],
  (place: Place, stored: Stored) => Write | Promise<Write>
>

process.once('SIGTERM', () => process.exit())
const { from, to } = JSON.parse(process.argv[2] ?? '{}') as NaiveOrder
let out = 0
const server = createServer((_, response) => response.end(JSON.stringify({ totals: { out } })))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
console.log(`port ${(server.address() as AddressInfo).port}`)
const write = await sinks[to.broker](to, (count) => {
  out += count
})
await sources[from.broker](from, write)
