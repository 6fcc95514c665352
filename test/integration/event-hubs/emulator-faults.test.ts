/** What can be made to go wrong, as the vendor's SDK and a plain AMQP client see it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ReceivedEventData } from '@azure/event-hubs'
import rhea, { type EventContext } from 'rhea'
import { type EventHubsServer, startEventHubs } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import { consumerOf, firstCause, producerOf, read, readFirst } from '../../support/event-hubs-sdk.ts'

let server: EventHubsServer
before(async () => void (server = await startEventHubs()))
after(() => server.stop())

let hubs = 0
async function newHub(partitions = 1): Promise<{ name: string; connection: string }> {
  const name = `faulty-${hubs++}`
  await server.admin.createHub(name, partitions)
  return { name, connection: server.connectionString(name) }
}

const text = ({ body }: ReceivedEventData): string => (body as Buffer).toString('utf8')
const event = (body: string) => ({ body: Buffer.from(body) })
const peersOf = async (hub: string): Promise<string[]> =>
  (await server.admin.connections())
    .filter(({ links }) => links.some((link) => link.hub === hub))
    .map(({ peer }) => peer)
const storedIn = async (hub: string): Promise<number> => (await server.admin.hub(hub)).partitions[0]?.events ?? 0

test('a busy service is tried again until it takes the batch, once', async () => {
  const { name, connection } = await newHub()
  await server.admin.addFault({ hub: name, on: 'send', do: 'reject', condition: 'com.microsoft:server-busy', count: 3 })
  await using producer = producerOf(connection)
  await producer.sendBatch([event('a')])
  assert.equal(await storedIn(name), 1)
  assert.equal((await server.admin.faults()).find((fault) => fault.hub === name)?.happened, 3)
})

test('a batch that was stored without an answer is sent again: two are stored', async () => {
  for (const action of ['appendThenClose', 'appendThenNoDisposition'] as const) {
    const { name, connection } = await newHub()
    await server.admin.addFault({ hub: name, on: 'send', do: action })
    await using producer = producerOf(connection, { timeoutInMs: 1_500 })
    await producer.sendBatch([event('a')])
    assert.equal(await storedIn(name), 2, action)
  }
})

test('a reader survives detaches, resets, duplicates and a service that goes away, and loses nothing', async () => {
  const { name, connection } = await newHub()
  await using producer = producerOf(connection)
  await producer.sendBatch(Array.from({ length: 500 }, (_, index) => event(String(index))))
  const on = { hub: name, on: 'deliver' } as const
  await server.admin.addFault({ ...on, do: 'detach', condition: 'amqp:link:detach-forced', nth: 50 })
  await server.admin.addFault({ ...on, do: 'rstSocket', nth: 100 })
  await server.admin.addFault({ ...on, do: 'closeConnection', condition: 'amqp:connection:forced', nth: 150 })
  await server.admin.addFault({ ...on, do: 'duplicate', nth: 200 })
  await using consumer = consumerOf(connection)
  await using reading = read(consumer, { partition: '0' })
  await eventually(
    'the last event',
    () => reading.events.at(-1),
    (last) => last !== undefined && text(last) === '499',
  )
  const numbers = reading.events.map((received) => Number(text(received)))
  assert.deepEqual(
    [...new Set(numbers)],
    Array.from({ length: 500 }, (_, index) => index),
  )
  const happened = (await server.admin.faults()).filter((fault) => fault.hub === name).map((fault) => fault.happened)
  assert.deepEqual(happened, [1, 1, 1, 1])
  assert.ok(numbers.length > 500)
})

test('a connection that goes dark stays open and silent; a stalled link takes credit and gives nothing', async () => {
  const { name, connection } = await newHub()
  await using producer = producerOf(connection)
  const dark = consumerOf(connection)
  const reading = read(dark, { partition: '0' })
  await producer.sendBatch([event('a')])
  await reading.atLeast(1)
  assert.equal(await server.admin.disturb({ hub: name, consumerGroup: '$default', do: 'blackhole' }), 1)
  await producer.sendBatch([event('b')])
  assert.deepEqual((await readFirst(connection, 2, { partition: '0' })).map(text), ['a', 'b'])
  assert.deepEqual([reading.events.length, reading.errors.length], [1, 0])
  // Closing politely would wait for an answer that never comes.
  await server.admin.disturb({ hub: name, consumerGroup: '$default', do: 'closeSocket' })
  await reading.atLeast(2)
  await reading.close()
  await dark.close()
  await server.admin.addFault({ hub: name, on: 'deliver', do: 'stall' })
  await using patient = consumerOf(connection)
  await using stalled = read(patient, { partition: '0' })
  const credit = async () =>
    (await server.admin.connections())
      .flatMap(({ links }) => links)
      .find((link) => link.hub === name && link.kind === 'reader')?.credit
  await eventually('the link has credit', credit, (value) => (value ?? 0) > 0)
  assert.equal(stalled.events.length, 0)
})

test('a hub over its throughput answers busy, and takes everything in the end', async () => {
  await using limited = await startEventHubs({ hubs: { slow: 1 }, args: ['--ingress-events', '200'] })
  await using producer = producerOf(limited.connectionString('slow'))
  const batch = Array.from({ length: 100 }, () => event('x'))
  for (let index = 0; index < 5; index++) await producer.sendBatch(batch)
  assert.equal((await limited.admin.hub('slow')).partitions[0]?.events, 500)
})

test('tokens are verified with the keys, links need them, and a changed key locks the old one out', async () => {
  await using locked = await startEventHubs({ hubs: { locked: 1 }, args: ['--key', 'test=test-key'] })
  const connection = locked.connectionString('locked')
  await using producer = producerOf(connection)
  await producer.sendBatch([event('a')])
  assert.deepEqual(await producer.getPartitionIds(), ['0'])
  await locked.admin.setKeys({ test: 'rotated' })
  // Attempts to open a link are nested in attempts to send.
  await using late = producerOf(connection, { maxRetries: 1 })
  await assert.rejects(late.sendBatch([event('b')]), (error) => {
    const cause = firstCause(error)
    assert.equal(cause.code, 'UnauthorizedError')
    assert.match(cause.message, /invalid signature/)
    assert.doesNotMatch(cause.message, /SharedAccessSignature|test-key/)
    return true
  })
  await using rotated = producerOf(connection.replace('test-key', 'rotated'))
  await rotated.sendBatch([event('c')])
})

test('a token can be renewed on the same link, over and over', async () => {
  const { connection, name } = await newHub()
  await using producer = producerOf(connection)
  let tokens = 0
  // The SDK renews a shared key's token after 45 minutes; a token with a near end is renewed when it says.
  const context = (producer as unknown as { _context: { tokenCredential: unknown } })._context
  let over = false
  context.tokenCredential = {
    getToken: async () => {
      // A renewal that is under way when its client closes would renew for ever.
      if (over) await new Promise(() => undefined)
      return { token: `token-${(tokens += 1)}`, expiresOnTimestamp: Date.now() + 120_050 }
    },
  }
  await producer.sendBatch([event('a')])
  const before = await peersOf(name)
  await eventually(
    'five tokens',
    () => tokens,
    (count) => count >= 5,
  )
  await producer.sendBatch([event('b')])
  assert.equal(await storedIn(name), 2)
  assert.deepEqual(await peersOf(name), before)
  over = true
})

test('both sides keep an idle connection alive with heartbeats, and a silent client is let go', async () => {
  await using brisk = await startEventHubs({ hubs: { idle: 1 }, args: ['--idle-timeout', '400'] })
  await using producer = producerOf(brisk.connectionString('idle'))
  await producer.sendBatch([event('a')])
  const [connected] = await brisk.admin.connections()
  const beats = await heartbeats(brisk.port, { wanted: 20, every: 100 })
  assert.equal(beats.closed, false)
  // As long again as it would take the emulator to give up on a client without heartbeats.
  await producer.sendBatch([event('b')])
  assert.equal((await brisk.admin.connections())[0]?.peer, connected?.peer)
  assert.equal(await brisk.admin.disturb({ hub: 'idle', do: 'blackhole' }), 1)
  await eventually(
    'the silent client is gone',
    () => brisk.admin.connections(),
    ({ length }) => length === 0,
  )
})

/** Connects with a short idle time and counts the empty frames that come. */
function heartbeats(port: number, { wanted, every }: { wanted: number; every: number }): Promise<{ closed: boolean }> {
  return new Promise((resolve) => {
    const connection = rhea.create_container().connect({
      port,
      host: '127.0.0.1',
      username: 'any',
      reconnect: false,
      idle_time_out: every * 2,
    })
    let [frames, closed] = [0, false]
    connection.on('disconnected', () => {
      closed = true
      resolve({ closed })
    })
    connection.on('connection_open', ({ connection: open }: EventContext) => {
      const socket = open['socket'] as NodeJS.ReadableStream
      socket.on('data', (bytes: Buffer) => {
        if (bytes.length !== 8 || (frames += 1) < wanted) return
        open.removeAllListeners('disconnected')
        open.close()
        resolve({ closed })
      })
    })
  })
}

test('an idle link is detached and an idle connection closed when asked, and the SDK comes back', async () => {
  const args = ['--detach-idle-links', '300', '--close-idle-connections', '600']
  await using strict = await startEventHubs({ hubs: { idle: 1 }, args })
  await using producer = producerOf(strict.connectionString('idle'))
  await producer.sendBatch([event('a')])
  await eventually(
    'the connection is closed',
    () => strict.admin.connections(),
    ({ length }) => length === 0,
  )
  await producer.sendBatch([event('b')])
  assert.equal((await strict.admin.hub('idle')).partitions[0]?.events, 2)
})

test('$cbs and $management can refuse, and a fault that makes no sense is refused', async () => {
  const { name, connection } = await newHub()
  await server.admin.addFault({
    hub: name,
    on: 'management',
    do: 'status',
    status: 503,
    condition: 'com.microsoft:server-busy',
    count: 2,
  })
  await server.admin.addFault({
    hub: name,
    on: 'cbs',
    do: 'status',
    status: 401,
    condition: 'amqp:unauthorized-access',
  })
  await using producer = producerOf(connection)
  assert.deepEqual(await producer.getPartitionIds(), ['0'])
  const happened = (await server.admin.faults()).filter((fault) => fault.hub === name).map((fault) => fault.happened)
  assert.deepEqual(happened, [2, 1])
  await assert.rejects(server.admin.addFault({ on: 'cbs', do: 'stall' }), /not possible/)
})
