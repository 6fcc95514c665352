import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from '../../../../test/support/fake-clock.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { PullResponse } from '../connection.ts'
import { EmulatorPulling } from './emulator.ts'

/** Asks an emulator so many times that packs what it is asked for into an answer, up to a hundred messages of this size. */
async function pull(size: number, times: number) {
  const asked: number[] = []
  const errors: BridgeError[] = []
  const clock = fakeClock()
  const pulling: EmulatorPulling = new EmulatorPulling({
    connection: {
      call: async <Answer>(method: string, request: object) => {
        if (method !== 'pull') return {} as Answer
        const { maxMessages } = request as { readonly maxMessages: number }
        asked.push(maxMessages)
        if (asked.length === times) pulling.pause()
        const given = Math.min(100, maxMessages)
        if (given * size > 64 * 2 ** 20) throw new BridgeError('too large', { kind: 'fatal', reason: 'AnswerTooLarge' })
        const message = { data: Buffer.alloc(size) }
        const receivedMessages = Array.from({ length: given }, (_, at) => ({ ackId: `${at}`, message }))
        return { receivedMessages } as PullResponse as Answer
      },
    },
    subscription: 'projects/p/subscriptions/s',
    lease: 15,
    clock,
    random: () => 0.5,
    received: () => undefined,
    failing: (error) => error && errors.push(error),
  })
  await clock.advance(1_000)
  await pulling.stop()
  return { asked: asked.slice(0, times), errors }
}

test('an emulator that answers with too much at once is asked for less, and not for more again while messages are as large', async () => {
  const { asked, errors } = await pull(10_000_000, 4)
  assert.deepEqual([asked, errors], [[1_000, 6, 6, 6], []])
})

test('small messages are asked for by the thousand', async () => {
  assert.deepEqual((await pull(100, 3)).asked, [1_000, 1_000, 1_000])
})
