import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyHash } from '../../../bridge-runtime/core/delivery/lanes.ts'
import { checking } from '../../support/checking-sink.ts'
import { eventually } from '../../support/eventually.ts'
import { startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import { assertWhole } from '../../support/tally.ts'
import { type TestRecord, testRun } from '../../support/verifier.ts'
import { running, source } from './engines.ts'

const sinkLanes = 64
const laneOf = (key: string): number => keyHash(Buffer.from(key)) % sinkLanes

test('a key with a long backlog that the sink takes slowly leaves room for the keys that come behind it', async (t) => {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic('orders', ['orders'])
  const publish = (records: readonly TestRecord[]): void =>
    service.publish(
      'orders',
      records.map(({ key, value }) => ({ key, data: value })),
    )
  const hot = testRun({ run: 'hot', keys: 1, bytes: 2_048 })
  const others = testRun({ run: 'others', keys: 20 })
  const backlog = hot.take(2_000)
  const hotLane = laneOf(backlog[0]?.key ?? '')
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  t.after(() => open())
  const [toHot, toOthers] = [checking(hot, () => gate), checking(others)]
  const bridge = running(
    t,
    () => source(service.address, 'orders'),
    async () => ({
      ...toOthers,
      async write(batch, signal) {
        // Each looks at its own records only.
        if (batch.records().some(({ key }) => laneOf(String(key)) === hotLane)) await toHot.write(batch, signal)
        return toOthers.write(batch, signal)
      },
    }),
    { sinkLanes },
  )
  publish(backlog)
  await eventually('the hot key is on its way', () => (bridge.engine.pumps[0]?.inFlightRecords ?? 0) > 0)
  const behind = others.take(500)
  publish(behind)
  const free = behind.filter(({ key }) => laneOf(key) !== hotLane).length
  await eventually('the other keys arrive', () => others.received === free)
  assert.equal(hot.received, 0)
  open()
  await eventually('all are acknowledged', () => service.subscription('orders').backlog === 0)
  await bridge.stop()
  assertWhole(hot.tally(), 0)
  assertWhole(others.tally(), 0)
})
