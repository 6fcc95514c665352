import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'
import { Hub } from '../../../bridge-runtime/connectors/event-hubs/hub.ts'
import { startOf, startText } from '../../../bridge-runtime/connectors/event-hubs/read/start.ts'
import { startEventHubs } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts'
import { sharedEventHubs, uniqueName } from '../../support/shared-servers.ts'
import { context, never, numbered, readerOf, send, sourceConfig, take } from './harness.ts'
import { producerOf } from '../../support/event-hubs-sdk.ts'
import { array, bodyData, bodyValue, list, section } from '../../support/amqp-bytes.ts'
import { eventHubsConnectionString } from '../../support/event-hubs.ts'

async function stage(t: TestContext, partitions = 1) {
  const { endpoint, admin } = await sharedEventHubs()
  const hub = uniqueName(t)
  await admin.createHub(hub, partitions)
  return { endpoint, admin, hub }
}

/** The first error a poll reports. */
const errorOf = (poll: () => Promise<unknown>): Promise<BridgeError> =>
  eventually('an error', async () => {
    try {
      await poll()
      return undefined
    } catch (thrown) {
      return thrown instanceof BridgeError ? thrown : assert.fail(String(thrown))
    }
  })

const values = (records: readonly { readonly value: Buffer | null }[]): number[] =>
  records.map(({ value }) => Number(value))

suite('the source of event hubs', { concurrency: 4 }, () => {
  test('the service ends the reading of an owner as soon as a later one reads, whatever the former knows', async (t) => {
    const { endpoint, hub } = await stage(t)
    await send(endpoint, hub, numbered(10))
    const former = readerOf(t, { endpoint, hub, epoch: 1 })
    assert.deepEqual(values(await take(former, 10)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const later = readerOf(t, { endpoint, hub, epoch: 2, committed: 9 })
    await later.poll(AbortSignal.timeout(500))
    await send(endpoint, hub, numbered(10, 10))
    assert.equal((await take(later, 10)).length, 10)
    const error = await errorOf(() => former.poll(never))
    assert.deepEqual([error.kind, error.reason], ['retryable', 'PartitionTaken'])
    assert.match(error.message, /partition 0 in consumer group \$Default of event hub .*consumer group of its own/)
    // It is refused when it tries again, and the later one is left in peace.
    assert.equal((await errorOf(() => former.poll(never))).reason, 'PartitionTaken')
    await send(endpoint, hub, numbered(1, 20))
    assert.deepEqual(values(await take(later, 1)), [20])
  })

  test('an idle reader does not ask for more and more: what may arrive at once stays bounded', async (t) => {
    const { endpoint, admin, hub } = await stage(t)
    const reader = readerOf(t, { endpoint, hub })
    for (let poll = 0; poll < 20; poll += 1) await reader.poll(AbortSignal.timeout(100))
    const links = (await admin.connections()).flatMap((connection) => connection.links)
    const credit = links.find((link) => link.hub === hub && link.kind === 'reader')?.credit ?? 0
    assert.ok(credit > 0 && credit <= 1_000, `${credit}`)
  })

  test('a sudden stretch of large events does not fill the memory, and comes whole and once', async (t) => {
    const { endpoint, admin, hub } = await stage(t)
    const reader = readerOf(t, { endpoint, hub })
    await send(endpoint, hub, numbered(3_000))
    assert.equal((await take(reader, 3_000)).length, 3_000)
    const large = Array.from({ length: 40 }, (_, index) => Buffer.alloc(900_000, String(index % 10)))
    for (const body of large) await send(endpoint, hub, [body])
    // Not polled meanwhile: what was asked for when events were small comes, until it is too much.
    await eventually('it has let go', async () => {
      const links = (await admin.connections()).flatMap((connection) => connection.links)
      return !links.some((link) => link.hub === hub && link.kind === 'reader')
    })
    const first = await reader.poll(never)
    assert.ok(first !== undefined && first.bytes < 11_000_000, `${first?.bytes}`)
    const rest = await take(reader, 40 - first.count)
    const got = [...first.records(), ...rest].map(({ value }) => value)
    assert.deepEqual(
      got.map((value) => [value?.length, value?.[0]]),
      large.map((value) => [value.length, value[0]]),
    )
  })

  test('events that have passed the retention period since the checkpoint are a gap, reported once the partition is read', async (t) => {
    const { endpoint, admin, hub } = await stage(t)
    await send(endpoint, hub, numbered(100))
    await admin.trim(hub, '0', 50)
    const error = await errorOf(() => readerOf(t, { endpoint, hub, committed: 5 }).poll(never))
    assert.deepEqual([error.kind, error.reason], ['fatal', 'DataGap'])
    assert.match(error.message, /events from 6 to 49 have passed the retention period.*onDataGap: Continue/)
    const going = readerOf(t, { endpoint, hub, committed: 5, epoch: 2, onDataGap: 'Continue' })
    assert.equal(values(await take(going, 50))[0], 50)
    const whole = readerOf(t, { endpoint, hub, committed: 49, epoch: 3 })
    assert.equal(values(await take(whole, 50))[0], 50)
  })

  test('an event hub that was made anew under its name is a gap, not a silence', async (t) => {
    const { endpoint, admin, hub } = await stage(t)
    await send(endpoint, hub, numbered(5))
    await admin.deleteHub(hub)
    await admin.createHub(hub, 1)
    await send(endpoint, hub, numbered(2))
    const error = await errorOf(() => readerOf(t, { endpoint, hub, committed: 4 }).poll(never))
    assert.equal(error.reason, 'DataGap')
    assert.match(error.message, /made anew/)
  })

  test('numbers that the service leaves out are no gap', async (t) => {
    const { endpoint, admin, hub } = await stage(t)
    const reader = readerOf(t, { endpoint, hub })
    await send(endpoint, hub, numbered(3))
    assert.equal((await take(reader, 3)).length, 3)
    await admin.addFault({ on: 'send', do: 'sequenceJump', hub, by: 1000 })
    await send(endpoint, hub, numbered(3, 3))
    assert.deepEqual(values(await take(reader, 3)), [3, 4, 5])
  })

  test('Latest means the ends when the bridge first began, also after a crash before the first commit', async (t) => {
    const { endpoint, admin, hub } = await stage(t, 2)
    await send(endpoint, hub, numbered(10))
    const api = new Hub(sourceConfig(endpoint, hub), context(endpoint), 'Listen')
    t.after(() => api[Symbol.asyncDispose]())
    const start = await startText({ type: 'Latest' }, api, never)
    await send(endpoint, hub, numbered(5, 10))
    await admin.createHub(hub, 3)
    assert.deepEqual(
      ['0', '1', '2'].map((partition) => startOf(start, partition)),
      [{ after: 9 }, { after: -1 }, 'first'],
    )
    const reader = readerOf(t, { endpoint, hub, start })
    assert.equal(values(await take(reader, 5))[0], 10)
  })

  test('a start at a time begins with the first event stored then', async (t) => {
    const { endpoint, admin, hub } = await stage(t)
    await send(endpoint, hub, numbered(3))
    await new Promise((resolve) => setTimeout(resolve, 20))
    await send(endpoint, hub, numbered(3, 3))
    const [, , , fourth] = await admin.dump(hub, '0')
    const reader = readerOf(t, { endpoint, hub, start: new Date(fourth?.enqueuedTime ?? 0).toISOString() })
    assert.equal(values(await take(reader, 3))[0], 3)
  })

  test('bodies of AMQP’s own types become text or JSON, and properties of any type become headers', async (t) => {
    const { endpoint, hub } = await stage(t)
    await using producer = producerOf(eventHubsConnectionString(endpoint, hub))
    const bodies = [
      { bodyType: 'value', body: 'text' },
      { bodyType: 'value', body: { a: 1, bytes: Buffer.from('x') } },
      { bodyType: 'value', body: null },
      { bodyType: 'sequence', body: [[1, 'two']] },
      { bodyType: 'data', body: Buffer.from('{"kept": "as it is"}') },
    ] as const
    await producer.sendBatch(
      bodies.map((body) => ({ ...body, applicationProperties: { number: 7, flag: true, text: 'x' } })) as never,
      { partitionId: '0' },
    )
    const records = await take(readerOf(t, { endpoint, hub }), bodies.length)
    assert.deepEqual(
      records.map(({ value }) => value?.toString() ?? null),
      ['text', '{"a":1,"bytes":"eA=="}', null, '[[1,"two"]]', '{"kept": "as it is"}'],
    )
    const headers = Object.fromEntries(records[0]?.headers.map(({ name, value }) => [name, value?.toString()]) ?? [])
    assert.deepEqual(headers, { number: '7', flag: 'true', text: 'x' })
  })

  test('an event that cannot be read is poison with its bytes, and those before and behind it arrive', async (t) => {
    const { endpoint, admin, hub } = await stage(t)
    const api = new Hub(sourceConfig(endpoint, hub), context(endpoint), 'Send')
    t.after(() => api[Symbol.asyncDispose]())
    let deep: Buffer = Buffer.from('40', 'hex')
    for (let level = 0; level < 5_000; level += 1) deep = list(deep)
    const bombs = [bodyValue(deep), bodyValue(array('40', [], 100_000_000)), section(0x75, '41')]
    const link = await api.sender('0')
    for (const bomb of bombs) {
      await send(endpoint, hub, numbered(1))
      await link.send(bodyData(bomb))
    }
    await send(endpoint, hub, numbered(1))
    const records = await take(readerOf(t, { endpoint, hub }), 7)
    assert.deepEqual(
      records.map(({ position, poison }) => [position, poison?.reason]),
      [0, 1, 2, 3, 4, 5, 6].map((at) => [String(at), at % 2 === 0 ? undefined : 'UnreadableRecord']),
    )
    const [stored] = await admin.dump(hub, '0', { from: 3, count: 1 })
    assert.ok(records[3]?.value?.includes(Buffer.from(stored?.message ?? '', 'base64')))
  })

  test('a missing consumer group is named', async (t) => {
    const { endpoint, hub } = await stage(t)
    const api = new Hub(sourceConfig(endpoint, hub), context(endpoint), 'Listen')
    t.after(() => api[Symbol.asyncDispose]())
    const error = await new Promise<BridgeError>((resolve, reject) => {
      const from = { partition: '0', consumerGroup: 'billing', epoch: 1, filter: undefined, reader: 'r' }
      api.read(from, { message: () => undefined, ended: resolve }).catch(reject)
    })
    assert.deepEqual([error.kind, error.reason], ['fatal', 'ConsumerGroupNotFound'])
    assert.match(error.message, /consumer group billing/)
  })

  for (const drop of [['toServer', 'toClient'], ['toServer'], ['toClient']] as const)
    test(`a connection that went silent (${drop.join(' and ')}) is given up within 30 s, and nothing is lost`, async (t) => {
      await using server = await startEventHubs({ hubs: { orders: 1 }, durable: false })
      await using proxy = await startTcpProxy(server.endpoint)
      const reader = readerOf(t, { endpoint: proxy.address, hub: 'orders' })
      await send(server.endpoint, 'orders', numbered(10))
      assert.equal((await take(reader, 10)).length, 10)
      proxy.fault({ drop })
      const cut = performance.now()
      await send(server.endpoint, 'orders', numbered(10, 10))
      const records: number[] = []
      const poll = async (): Promise<void> => {
        const batch = await reader.poll(never)
        if (batch !== undefined) records.push(...values(batch.records()))
      }
      if (drop.length === 1 && drop[0] === 'toServer') await poll()
      const error = await errorOf(poll)
      t.diagnostic(`given up after ${Math.round(performance.now() - cut)} ms`)
      assert.deepEqual([error.kind, error.reason], ['retryable', 'EndpointUnreachable'])
      assert.ok(performance.now() - cut < 30_000)
      proxy.fault()
      await eventually('the rest', async () => {
        await poll()
        return records.length >= 10
      })
      assert.deepEqual(records, values(numbered(10, 10).map((value) => ({ value }))))
    })

  test('closing a connection that went silent does not hang', async (t) => {
    await using server = await startEventHubs({ hubs: { orders: 1 }, durable: false })
    await using proxy = await startTcpProxy(server.endpoint)
    const api = new Hub(sourceConfig(proxy.address, 'orders'), context(proxy.address), 'Listen')
    assert.deepEqual((await api.describe()).partitions, ['0'])
    proxy.fault({ drop: ['toServer', 'toClient'] })
    let closed = false
    void api[Symbol.asyncDispose]().then(() => (closed = true))
    await eventually('it is closed', () => closed)
    t.diagnostic('closed')
  })
})
