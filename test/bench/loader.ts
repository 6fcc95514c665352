/**
 * Produces the records, as a process of its own: `node loader.ts JSON` with an `Order`. Values are random bytes, so that
 * compression would change nothing, behind a stamp: when the record was made and its number.
 */
import { randomFillSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { compatibilityPartitioner, Producer } from '@platformatic/kafka'
import { writeStamp } from './stamp.ts'

export interface Order {
  readonly bootstrapServers: string
  readonly topic: string
  readonly records: number
  readonly valueBytes: number
  /** Records per second; absent: as fast as it goes. */
  readonly rate?: number
}

const keys = Array.from({ length: 1_000 }, (_, index) => Buffer.from(`key-${index}`))
/** Records per request without a rate: about 50 in each of four record batches. */
const perRequest = 200
const requestsInFlight = 8
/** Milliseconds between two requests with a rate: as long as a Java producer of today waits for company. */
const tick = 5
/** Values begin at a random place of these bytes: filling a million values anew would take longer than sending them. */
const pool = randomFillSync(Buffer.allocUnsafe(16 * 1024 * 1024))

const order = JSON.parse(process.argv[2] ?? '{}') as Order
const producer = new Producer({
  clientId: 'bench-loader',
  bootstrapBrokers: order.bootstrapServers.split(','),
  autocreateTopics: false,
})
let made = 0

function make(count: number) {
  const now = Date.now()
  return Array.from({ length: count }, () => {
    const at = Math.floor(Math.random() * (pool.length - order.valueBytes))
    const value = Buffer.from(pool.subarray(at, at + order.valueBytes))
    writeStamp(value, { madeAt: now, number: made })
    const key = keys[made % keys.length] as Buffer
    made += 1
    return { topic: order.topic, key, value }
  })
}

const send = async (count: number): Promise<void> => {
  await producer.send({ messages: make(count), acks: 1, partitioner: compatibilityPartitioner })
}

async function sendMany(): Promise<void> {
  while (made < order.records) await send(Math.min(perRequest, order.records - made))
}

/** Requests overlap: a slow answer must not slow the records down. */
async function sendSteadily(rate: number): Promise<void> {
  const start = performance.now()
  const sent: Promise<void>[] = []
  while (made < order.records) {
    const due = Math.min(order.records, Math.ceil(((performance.now() - start) / 1_000) * rate))
    for (let left = due - made; left > 0; left -= perRequest) sent.push(send(Math.min(perRequest, left)))
    await sleep(tick)
  }
  await Promise.all(sent)
}

if (order.rate === undefined) await Promise.all(Array.from({ length: requestsInFlight }, sendMany))
else await sendSteadily(order.rate)
await producer.close()
