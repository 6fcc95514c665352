import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomNumbers } from '../../../../test/support/verifier.ts'
import { heldBack } from '../../../core/delivery/held-back.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { PubsubMessage } from '../connection.ts'
import { type KeyBatch, Publishing, type PublishingOptions } from './publishing.ts'

const lost = new BridgeError('the connection was lost', { kind: 'retryable', reason: 'EndpointUnreachable' })
const invalid = new BridgeError('the message does not match the schema', { kind: 'fatal', reason: 'InvalidRequest' })

const publishing = (publish: PublishingOptions['publish'], more: Partial<PublishingOptions> = {}): Publishing =>
  new Publishing({ publish, maxMessages: 1_000, maxBytes: 1_000_000, maxRequests: 8, ...more })

const textOf = ({ data }: PubsubMessage): string => Buffer.from(data ?? '').toString()
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Adds messages of one key; resolves with a failure, or undefined, for each. */
function send(to: Publishing, key: string, texts: readonly string[], abandoned = () => false) {
  return new Promise<(BridgeError | undefined)[]>((resolve) => {
    const results: (BridgeError | undefined)[] = []
    let open = texts.length
    const batch: KeyBatch = {
      key,
      messages: texts.map((text) => ({ data: Buffer.from(text), orderingKey: key })),
      sizes: texts.map((text) => text.length),
      done(from, until, failure) {
        for (let at = from; at < until; at += 1) results[at] = failure
        open -= until - from
        if (open === 0) resolve(results)
      },
      abandoned,
    }
    to.add(batch)
  })
}

test('all messages of a request have one ordering key', async () => {
  const requests: string[][] = []
  const to = publishing(async (messages) => void requests.push(messages.map(({ orderingKey }) => orderingKey ?? '')))
  await Promise.all(['a', 'b', 'a', ''].map((key) => send(to, key, ['1', '2'])))
  assert.ok(requests.every((keys) => new Set(keys).size === 1))
  assert.deepEqual(
    requests.map(({ length }) => length).sort((a, b) => a - b),
    [2, 2, 4],
  )
})

test('of a key there is one request at a time; other keys do not wait', async () => {
  const gates: (() => void)[] = []
  const flying: string[] = []
  const to = publishing(async (messages) => {
    flying.push(messages.map(textOf).join(' '))
    await new Promise<void>((resolve) => gates.push(resolve))
  })
  const outcomes = [send(to, 'a', ['a1']), send(to, 'b', ['b1'])]
  await soon()
  outcomes.push(send(to, 'a', ['a2']), send(to, 'a', ['a3']))
  await soon()
  assert.deepEqual(flying, ['a1', 'b1'])
  gates[0]?.()
  await soon()
  await soon()
  assert.deepEqual(flying, ['a1', 'b1', 'a2 a3'])
  for (const open of gates) open()
  await Promise.all(outcomes)
})

test('messages without a key go in several requests at once', async () => {
  let most = 0
  let flying = 0
  const to = publishing(
    async () => {
      flying += 1
      most = Math.max(most, flying)
      await soon()
      flying -= 1
    },
    { maxMessages: 10 },
  )
  await send(
    to,
    '',
    Array.from({ length: 100 }, (_, index) => `${index}`),
  )
  assert.equal(most, 8)
})

test('what waits behind a failed request of its key is held back, in order, and not sent', async () => {
  const sent: string[] = []
  const to = publishing(async (messages) => {
    sent.push(messages.map(textOf).join(' '))
    await soon()
    if (sent.length === 1) throw lost
  })
  const first = send(to, 'a', ['1', '2'])
  await soon()
  const second = send(to, 'a', ['3'])
  assert.deepEqual(await first, [lost, lost])
  assert.deepEqual(await second, [heldBack])
  assert.deepEqual(await send(to, 'a', ['1', '2', '3']), [undefined, undefined, undefined])
  assert.deepEqual(sent, ['1 2', '1 2 3'])
})

test('of a refused request the message at fault is found, what is before it is stored and what is behind it held back', async () => {
  const stored: string[] = []
  const to = publishing(async (messages) => {
    if (messages.some((message) => textOf(message) === 'bad')) throw invalid
    stored.push(...messages.map(textOf))
  })
  const outcome = await send(to, 'a', ['1', '2', 'bad', '3'])
  assert.deepEqual(
    outcome.map((failure) => failure?.reason),
    [undefined, undefined, 'RecordRejected', 'HeldBack'],
  )
  assert.equal(outcome[2]?.kind, 'poison')
  assert.deepEqual(stored, ['1', '2'])
})

test('a request keeps to the limits; a message that is larger alone goes alone', async () => {
  const sizes: number[][] = []
  const to = publishing(async (messages) => void sizes.push(messages.map((message) => textOf(message).length)), {
    maxMessages: 3,
    maxBytes: 10,
  })
  await send(to, 'a', ['1', '2', '3', '4', 'x'.repeat(9), '55', 'y'.repeat(20), '6'])
  assert.deepEqual(sizes, [[1, 1, 1], [1, 9], [2], [20], [1]])
})

test('what nobody waits for any more is not sent', async () => {
  const sent: string[] = []
  const to = publishing(async (messages) => void sent.push(...messages.map(textOf)))
  void send(to, 'a', ['given up'], () => true)
  await send(to, 'a', ['wanted'])
  assert.deepEqual(sent, ['wanted'])
})

test('whatever fails, resending what failed stores everything, each key in its order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), async (seed) => {
      const random = randomNumbers(seed)
      const stored = new Map<string, string[]>()
      const to = publishing(
        async (messages) => {
          await soon()
          const fate = random()
          if (fate < 0.2) throw lost
          for (const message of messages) {
            const key = message.orderingKey ?? ''
            const known = stored.get(key) ?? []
            stored.set(key, known)
            if (!known.includes(textOf(message))) known.push(textOf(message))
          }
          // Stored, but the answer is lost.
          if (fate < 0.35) throw lost
        },
        { maxMessages: 3, maxRequests: 2 },
      )
      const texts = Array.from({ length: 12 }, (_, index) => `${index}`)
      const deliver = async (key: string): Promise<void> => {
        for (let rest = texts; rest.length > 0; ) {
          const outcome = await send(to, key, rest)
          rest = rest.filter((_, index) => outcome[index] !== undefined)
        }
      }
      await Promise.all(['a', 'b', 'c'].map(deliver))
      for (const key of ['a', 'b', 'c']) assert.deepEqual(stored.get(key), texts)
    }),
    { numRuns: 50 },
  )
})
