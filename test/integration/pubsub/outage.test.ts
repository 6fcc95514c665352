import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.ts'
import { type PubsubServer, publish, startPubsub } from '../../support/pubsub.ts'
import { startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import { assertWhole } from '../../support/tally.ts'
import { testRun } from '../../support/verifier.ts'
import { checking } from '../../support/checking-sink.ts'
import { recordsOf } from '../../support/memory/source.ts'
import { running, sink, source } from './engines.ts'
import { createStream } from './harness.ts'

test('an emulator that is killed and comes back, empty, is read and written again, by itself', async (t) => {
  const first = await startPubsub({ heap: 256 })
  t.after(() => first.stop())
  await createStream(first.address, 'orders')
  await createStream(first.address, 'copy')
  const proxy = await startTcpProxy(first.address)
  t.after(() => proxy.stop())
  const run = testRun({ run: 'restart', keys: 10 })
  const copied = testRun({ run: 'copied', keys: 10 })
  const reader = running(
    t,
    () => source(proxy.address, 'orders'),
    async () => checking(run),
  )
  const all = copied.take(500)
  let released: (() => void) | undefined
  const gate = new Promise<void>((resolve) => (released = resolve))
  const writer = running(
    t,
    async () => {
      await gate
      return recordsOf(all)
    },
    () => sink(proxy.address, 'copy'),
  )
  const send = (server: PubsubServer, count: number): Promise<void> =>
    publish(
      server.address,
      'orders',
      run.take(count).map(({ key, value }) => ({ key, data: value })),
    )
  await send(first, 200)
  await eventually('the first are read', () => run.received === 200)
  await first.kill()
  released?.()
  await eventually('both say so', () =>
    [reader.engine.errors.newest('source'), writer.engine.errors.newest('sink')].every((error) => error !== undefined),
  )
  const second = await startPubsub({ heap: 256 })
  t.after(() => second.stop())
  await createStream(second.address, 'orders')
  await createStream(second.address, 'copy')
  proxy.retarget(second.address)
  const mirror = running(
    t,
    () => source(second.address, 'copy'),
    async () => checking(copied),
  )
  await send(second, 200)
  await eventually('the others are read', () => run.received === 400, undefined, { within: 60_000 })
  await eventually('what waited is written', () => copied.received === 500, undefined, { within: 60_000 })
  await eventually('no error any more', () =>
    [reader.engine.errors.newest('source'), writer.engine.errors.newest('sink')].every((error) => error === undefined),
  )
  await Promise.all([reader.stop(), writer.stop(), mirror.stop()])
  assertWhole(run.tally(), 0)
  assertWhole(copied.tally(), 500)
})

/** Everything vanishes in both directions until the client gives its connection up by itself. */
async function blackHole(proxy: TcpProxy): Promise<void> {
  const before = proxy.accepted
  assert.ok(before > 0)
  proxy.fault({ drop: ['toClient', 'toServer'] })
  await eventually('the client makes a new one', () => proxy.accepted > before, undefined, { within: 90_000 })
  proxy.fault()
}

async function behindProxy(t: TestContext) {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic('orders', ['orders'])
  const proxy = await startTcpProxy(service.address)
  t.after(() => proxy.stop())
  return { service, proxy }
}

suite('a connection that goes silent without closing', { concurrency: 2 }, () => {
  test('is found out and replaced by the source; nothing is lost, repeated or reordered', async (t) => {
    const { service, proxy } = await behindProxy(t)
    const run = testRun({ run: 'silent-source', keys: 10 })
    const bridge = running(
      t,
      () => source(proxy.address, 'orders'),
      async () => checking(run),
    )
    const send = (count: number): void =>
      service.publish(
        'orders',
        run.take(count).map(({ key, value }) => ({ key, data: value })),
      )
    send(300)
    await eventually('the first are read', () => run.received === 300)
    const hole = blackHole(proxy)
    send(300)
    await hole
    await eventually('all are read', () => run.received === 600, undefined, { within: 90_000 })
    await bridge.stop()
    assertWhole(run.tally(), 0)
  })

  test('is found out and replaced by the sink; nothing is lost or reordered', async (t) => {
    const { service, proxy } = await behindProxy(t)
    const run = testRun({ run: 'silent-sink', keys: 10 })
    const records = run.take(600)
    let hole: Promise<void> | undefined
    service.refuse = ({ method }) => {
      if (method === 'publish' && service.published('orders').length > 100) hole ??= blackHole(proxy)
      return undefined
    }
    const bridge = running(
      t,
      async () => recordsOf(records),
      () => sink(proxy.address, 'orders', { limits: { maxMessages: 10 } }),
    )
    const stored = (): number => new Set(service.published('orders').map(({ data }) => data)).size
    await eventually('all are stored', () => stored() === 600, undefined, { within: 120_000 })
    await hole
    await bridge.stop()
    for (const { key, data } of service.published('orders')) run.arrived(key, data)
    assert.ok(hole !== undefined)
    assertWhole(run.tally(), 600)
  })
})
