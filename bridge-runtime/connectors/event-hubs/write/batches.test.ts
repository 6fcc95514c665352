import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BridgeError, BridgeError as Failure } from '../../../core/errors.ts'
import { Batches, type Entry } from './batches.ts'
import { AmqpFailure } from '../errors.ts'

interface Sent {
  readonly payload: string
  answer(error?: Error): void
}

function stage(maxRecords = 100, maxBytes = 1_000) {
  const sent: Sent[] = []
  const outcomes: [string, string | undefined][] = []
  let wake: (() => void) | undefined
  const batches = new Batches({
    attach: async () => ({
      maxMessageSize: 1_000_000,
      open: true,
      close: () => undefined,
      send: (payload) =>
        new Promise((resolve, reject) => {
          const answer = (error?: Error): void => (error === undefined ? resolve() : reject(error))
          sent.push({ payload: payload.toString(), answer })
          wake?.()
        }),
    }),
    translated: (thrown) => new Failure((thrown as Error).message, { kind: 'retryable', reason: 'Unknown' }),
    maxRecords,
    maxBytes,
  })
  const add = (text: string, key: string | undefined, more: Partial<Entry> = {}): void =>
    batches.add({
      key,
      bytes: Buffer.from(text),
      done: (failure: BridgeError | undefined) => void outcomes.push([text, failure?.reason]),
      abandoned: () => false,
      ...more,
    })
  const next = async (): Promise<Sent> => {
    while (sent.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    return sent.shift() as Sent
  }
  const settled = async (count: number): Promise<void> => {
    while (outcomes.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  return { add, next, sent, outcomes, settled }
}

test('writes that begin together share a batch, and one batch is on its way at a time', async () => {
  const { add, next, sent, outcomes, settled } = stage()
  add('a', 'a')
  add('b', 'b')
  const first = await next()
  assert.equal(first.payload, 'ab')
  add('c', 'c')
  add('d', 'd')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(sent.length, 0)
  first.answer()
  const second = await next()
  assert.equal(second.payload, 'cd')
  second.answer()
  await settled(4)
  assert.deepEqual(
    outcomes,
    ['a', 'b', 'c', 'd'].map((text) => [text, undefined]),
  )
})

test('what waits behind a failed entry of its key is held back; other keys, and those without, go on', async () => {
  const { add, next, outcomes, settled } = stage(2)
  add('a1', 'a')
  add('-1', undefined)
  add('a2', 'a')
  add('b1', 'b')
  add('-2', undefined)
  const first = await next()
  assert.equal(first.payload, 'a1-1')
  first.answer(new Error('lost'))
  const second = await next()
  assert.equal(second.payload, 'b1-2')
  second.answer()
  await settled(5)
  assert.deepEqual(outcomes.slice(0, 3), [
    ['a1', 'Unknown'],
    ['-1', 'Unknown'],
    ['a2', 'HeldBack'],
  ])
})

test('a batch has no more records and bytes than allowed', async () => {
  const { add, next } = stage(3, 200)
  for (const text of ['1', '2', '3', '4', 'x'.repeat(120), 'y'.repeat(120)]) add(text, undefined)
  const lengths: number[] = []
  for (let batch = 0; batch < 3; batch += 1) {
    const sent = await next()
    lengths.push(sent.payload.length)
    sent.answer()
  }
  assert.deepEqual(lengths, [3, 121, 120])
})

test('a batch that the service finds too large is halved; a single record that is, is poison', async () => {
  const tooLarge = new AmqpFailure('amqp:link:message-size-exceeded', 'too large')
  const { add, next, outcomes, settled } = stage()
  add('a', 'a')
  add('b', 'b')
  ;(await next()).answer(tooLarge)
  await settled(2)
  assert.deepEqual(outcomes.splice(0), [
    ['a', 'Unknown'],
    ['b', 'Unknown'],
  ])
  add('a', 'a')
  ;(await next()).answer(tooLarge)
  await settled(1)
  assert.deepEqual(outcomes, [['a', 'RecordTooLarge']])
})

test('what nobody waits for any more is not sent', async () => {
  const { add, next } = stage()
  add('gone', 'a', { abandoned: () => true })
  add('here', 'b')
  assert.equal((await next()).payload, 'here')
})
