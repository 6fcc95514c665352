import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from '../../../../test/support/fake-clock.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { Held } from '../held/inventory.ts'
import { Leases } from './leases.ts'

const message = (ackId: string, bytes = 10): Held => ({
  id: ackId,
  identity: ackId,
  key: 'k',
  message: undefined,
  bytes,
  ackId,
  state: 'settled',
  since: 0,
  leasedUntil: 15_000,
})

/** A service that takes what it is told, but for the first `failing` requests. */
function world({ failing = 0 } = {}) {
  const requests: string[][] = []
  const confirmed: string[] = []
  const clock = fakeClock()
  let failures = failing
  const leases = new Leases({
    connection: {
      call: async <Answer>(_: string, request: object) => {
        requests.push((request as { readonly ackIds: string[] }).ackIds)
        if (failures-- > 0) throw new BridgeError('unavailable', { kind: 'retryable', reason: 'ServiceUnavailable' })
        return {} as Answer
      },
    },
    subscription: 'projects/p/subscriptions/s',
    enough: { messages: 5, bytes: 1_000 },
    clock,
    random: () => 0.5,
    answered: (held) => confirmed.push(...held.map(({ ackId }) => ackId)),
    failing: () => undefined,
  })
  return { leases, requests, confirmed, clock }
}

test('the first message is acknowledged at once, those of the next tenth of a second together', async () => {
  const { leases, requests, confirmed, clock } = world()
  leases.acknowledge([message('1')])
  await clock.advance(0)
  assert.deepEqual(requests, [['1']])
  for (const ackId of ['2', '3', '4']) {
    leases.acknowledge([message(ackId)])
    await clock.advance(20)
  }
  assert.deepEqual(requests, [['1']])
  await clock.advance(40)
  assert.deepEqual(requests, [['1'], ['2', '3', '4']])
  assert.deepEqual(confirmed, ['1', '2', '3', '4'])
})

test('so many or so large messages that the service may be waiting for them are acknowledged at once', async () => {
  const { leases, requests, clock } = world()
  for (const together of [[message('1')], [message('2')], ['3', '4', '5', '6'].map((ackId) => message(ackId))]) {
    leases.acknowledge(together)
    await clock.advance(0)
  }
  assert.deepEqual(requests, [['1'], ['2', '3', '4', '5', '6']])
  leases.acknowledge([message('7', 1_000)])
  await clock.advance(0)
  assert.deepEqual(requests.slice(2), [['7']])
})

test('at the end nothing waits for company', async () => {
  const { leases, requests, clock } = world()
  leases.acknowledge([message('1')])
  await clock.advance(0)
  leases.acknowledge([message('2')])
  await leases.flushed(new AbortController().signal)
  assert.deepEqual(requests, [['1'], ['2']])
})

test('what the service did not take is acknowledged again, and confirmed once', async () => {
  const { leases, requests, confirmed, clock } = world({ failing: 1 })
  leases.acknowledge([message('1'), message('2')])
  await clock.advance(0)
  assert.deepEqual(confirmed, [])
  await clock.advance(5_000)
  assert.deepEqual(requests, [
    ['1', '2'],
    ['1', '2'],
  ])
  assert.deepEqual(confirmed, ['1', '2'])
})
