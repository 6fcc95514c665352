import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import rhea from 'rhea'
import { type FakeClock, fakeClock } from '../../../../test/support/fake-clock.ts'
import { ownershipOf } from '../../../../test/support/leases/ownership.ts'
import { silentLogger } from '../../../observability/logger.ts'
import type { HubApi, PartitionProperties, ReadHandlers } from '../hub.ts'
import { HubReader } from './partition-reader.ts'

const never = new AbortController().signal

/** A hub of one partition whose properties are asked for and answered at different times. */
interface Hub {
  readonly clock: FakeClock
  readonly reader: HubReader
  /** What was asked of the link and the owner: credit, to close, to look again. */
  readonly calls: readonly string[]
  /** Another hub has the name from now on. */
  replace(): void
  /** Delivers the event: its number, or the bytes of one. */
  deliver(event: number | Buffer): void
  /** Answers the oldest look that waits. */
  answer(found: PartitionProperties): void
}

function hubWith(t: TestContext, committed: number): Hub {
  const clock = fakeClock()
  const asked: ((found: PartitionProperties) => void)[] = []
  let handlers: ReadHandlers | undefined
  let birth = 'monday'
  const calls: string[] = []
  const api: HubApi = {
    name: 'orders',
    streamName: 'event hub orders',
    describe: async () => ({ partitions: ['0'], stream: { name: 'event hub orders', birth } }),
    properties: () => new Promise((resolve) => void asked.push(resolve)),
    read: async (_from, given) => {
      handlers = given
      return { credit: 0, addCredit: () => void calls.push('credit'), close: () => void calls.push('close') }
    },
    sender: () => Promise.reject(new Error('not needed')),
    translated: () => assert.fail('nothing fails'),
    [Symbol.asyncDispose]: async () => undefined,
  }
  const ownership = ownershipOf('0', {
    checkpoint: { position: String(committed), ended: false },
    stream: { name: 'event hub orders', birth: 'monday' },
    lookAgain: () => void calls.push('lookAgain'),
  })
  const reader = new HubReader(ownership, {
    api,
    consumerGroup: 'bridge',
    onDataGap: 'Stop',
    replica: 'replica-0',
    clock,
    log: silentLogger,
  })
  t.after(() => reader.close())
  return {
    clock,
    reader,
    calls,
    replace: () => {
      birth = 'tuesday'
    },
    deliver: (event) => handlers?.message(typeof event === 'number' ? encoded(event) : event),
    answer: (found) => asked.shift()?.(found),
  }
}

const encoded = (sequenceNumber: number): Buffer =>
  rhea.message.encode({
    message_annotations: {
      'x-opt-sequence-number': rhea.types.wrap_long(sequenceNumber),
      'x-opt-enqueued-time': rhea.types.wrap_timestamp(0),
    },
    body: rhea.message.data_section(Buffer.from('x')),
  })

/** Attached behind event 4, event 5 read, and the next look at the partition on its way. */
async function looking(t: TestContext): Promise<Hub> {
  const hub = hubWith(t, 4)
  const first = hub.reader.poll(never)
  hub.answer({ begin: 0, last: 4, empty: false })
  await hub.clock.advance(0)
  hub.deliver(5)
  await first
  await hub.clock.advance(10_000)
  return hub
}

test('events that arrive while the partition is looked at do not make a hub that was made anew', async (t) => {
  const hub = await looking(t)
  hub.deliver(6)
  hub.deliver(7)
  hub.answer({ begin: 0, last: 5, empty: false })
  await hub.clock.advance(0)
  const batch = await hub.reader.poll(never)
  assert.deepEqual([batch?.first, batch?.last], ['6', '7'])
  const next = hub.reader.poll(never)
  await hub.clock.advance(5_000)
  assert.equal(await next, undefined)
})

test('a hub that was made anew while it is read is a gap', async (t) => {
  const hub = await looking(t)
  hub.answer({ begin: 0, last: 1, empty: false })
  await hub.clock.advance(0)
  await assert.rejects(hub.reader.poll(never), /event 5 was read, but the newest is 1: the event hub was made anew/)
})

test('an event whose number cannot be read has the next one: those before and behind it come, and none is taken for lost', async (t) => {
  const hub = await looking(t)
  hub.deliver(6)
  hub.deliver(Buffer.from('not AMQP'))
  hub.deliver(8)
  hub.answer({ begin: 0, last: 8, empty: false })
  await hub.clock.advance(0)
  const batch = await hub.reader.poll(never)
  assert.deepEqual(
    batch?.records().map(({ position, poison, value }) => [position, poison?.reason ?? value?.toString()]),
    [
      ['6', 'x'],
      ['7', 'UnreadableRecord'],
      ['8', 'x'],
    ],
  )
})

test('a hub that was made again between two looks at it is not read, whether its numbers fit or not', async (t) => {
  for (const last of [1, 9]) {
    const hub = hubWith(t, 4)
    hub.replace()
    const polling = hub.reader.poll(never)
    hub.answer({ begin: 0, last, empty: false })
    await assert.rejects(polling, { reason: 'StreamReplaced', kind: 'retryable' })
    assert.deepEqual(hub.calls, last === 1 ? ['lookAgain'] : ['lookAgain', 'close'])
  }
})
