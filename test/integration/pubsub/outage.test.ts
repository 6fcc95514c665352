import assert from 'node:assert/strict'
import test from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts'
import { publish, startPubsub } from '../../support/pubsub.ts'
import { startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import { freePorts } from '../../support/server-process.ts'
import { assertWhole } from '../../support/tally.ts'
import { testRun } from '../../support/verifier.ts'
import { checking, recordsOf, running, sink, source } from './engines.ts'
import { createStream } from './harness.ts'

test('an emulator that is killed and comes back, empty, is read and written again, without a word from us', async (t) => {
  const [port = 0] = await freePorts(1)
  const first = await startPubsub({ port, heap: 256 })
  t.after(() => first.stop())
  await createStream(first.address, 'orders')
  await createStream(first.address, 'copy')
  const run = testRun({ run: 'restart', keys: 10 })
  const copied = testRun({ run: 'copied', keys: 10 })
  const reader = running(
    t,
    () => source(first.address, 'orders'),
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
    () => sink(first.address, 'copy'),
  )
  const send = (count: number): Promise<void> =>
    publish(
      first.address,
      'orders',
      run.take(count).map(({ key, value }) => ({ key, data: value })),
    )
  await send(200)
  await eventually('the first are read', () => run.received === 200)
  await first.kill()
  released?.()
  await eventually('both say so', () =>
    [reader.engine.failing.newest('source'), writer.engine.failing.newest('sink')].every(
      (error) => error !== undefined,
    ),
  )
  const second = await startPubsub({ port, heap: 256 })
  t.after(() => second.stop())
  await createStream(second.address, 'orders')
  await createStream(second.address, 'copy')
  const mirror = running(
    t,
    () => source(second.address, 'copy'),
    async () => checking(copied),
  )
  await send(200)
  await eventually('the others are read', () => run.received === 400, undefined, { within: 60_000 })
  await eventually('what waited is written', () => copied.received === 500, undefined, { within: 60_000 })
  await eventually('no error any more', () =>
    [reader.engine.failing.newest('source'), writer.engine.failing.newest('sink')].every(
      (error) => error === undefined,
    ),
  )
  await Promise.all([reader.stop(), writer.stop(), mirror.stop()])
  assertWhole(run.tally(), 0)
  assertWhole(copied.tally(), 500)
})

test('a connection that goes silent without closing is found out and replaced; nothing is lost or reordered', async (t) => {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic('orders', ['orders'])
  service.createTopic('copy')
  const proxy = await startTcpProxy(service.address)
  t.after(() => proxy.stop())
  const run = testRun({ run: 'silent', keys: 10 })
  const records = run.take(600)
  const bridge = running(
    t,
    () => source(proxy.address, 'orders'),
    () => sink(proxy.address, 'copy'),
  )
  const send = (from: number, to: number): void =>
    service.publish(
      'orders',
      records.slice(from, to).map(({ key, value }) => ({ key, data: value })),
    )
  const stored = (): number => new Set(service.published('copy').map(({ data }) => data)).size
  send(0, 300)
  await eventually('the first are copied', () => stored() === 300)
  proxy.fault({ drop: ['toClient', 'toServer'] })
  send(300, 600)
  const { failing } = bridge.engine
  await eventually('the source says so', () => failing.newest('source') !== undefined, undefined, { within: 90_000 })
  assert.equal(stored(), 300)
  proxy.fault()
  await eventually('all are copied', () => stored() === 600, undefined, { within: 90_000 })
  await bridge.stop()
  for (const { key, data } of service.published('copy')) run.arrived(key, data)
  assertWhole(run.tally(), 600)
})
