import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BridgeError } from '../../../core/errors.ts'
import { type Answer, type Dispatch, type Outcome, PartitionLog } from './partition-log.ts'

const error = new BridgeError('broken', { kind: 'retryable', reason: 'Unknown' })

/**
 * A partition as a broker keeps it: knows one producer by epoch and last sequence, takes any first sequence of one it
 * does not know, refuses gaps and old epochs, and recognises the last five batches.
 */
class Broker {
  readonly stored: string[] = []
  #epoch = -1
  #next = -1
  #recent: { epoch: number; sequence: number }[] = []

  append({ bytes, epoch, sequence }: Dispatch, count: number): Answer {
    if (epoch < this.#epoch) return { kind: 'sequence-lost', error }
    if (this.#recent.some((one) => one.epoch === epoch && one.sequence === sequence)) return { kind: 'stored' }
    if (epoch === this.#epoch && sequence < this.#next) return { kind: 'duplicate' }
    if (epoch === this.#epoch && sequence !== this.#next) return { kind: 'sequence-lost', error }
    if (epoch > this.#epoch && this.#epoch >= 0 && sequence !== 0) return { kind: 'sequence-lost', error }
    this.#epoch = epoch
    this.#next = sequence + count
    this.#recent = [...this.#recent, { epoch, sequence }].slice(-5)
    this.stored.push(bytes.toString())
    return { kind: 'stored' }
  }
}

type Fate = 'fine' | 'lost request' | 'lost answer' | 'rejected'

interface Flight {
  readonly dispatch: Dispatch
  readonly fate: Fate
}

/** Sends `count` batches, each with the fates of its attempts, over a connection that keeps order. */
function play(fates: readonly Fate[], count: number): { broker: Broker; outcomes: Map<string, Outcome> } {
  const broker = new Broker()
  const log = new PartitionLog(1n, 0)
  const outcomes = new Map<string, Outcome>()
  const script = [...fates]
  for (let n = 0; n < count; n++) {
    const name = `b${n}`
    log.add({ bytes: Buffer.from(name), count: 2, settle: (outcome) => outcomes.set(name, outcome) })
  }
  let sending = true
  while (sending) {
    const flights = log.take(() => 0).map((dispatch): Flight => ({ dispatch, fate: script.shift() ?? 'fine' }))
    const answers = flights.map(({ dispatch, fate }): Answer => {
      if (fate === 'lost request') return { kind: 'retry', error }
      if (fate === 'rejected') return { kind: 'rejected', error }
      const answer = broker.append(dispatch, 2)
      return fate === 'lost answer' ? { kind: 'retry', error } : answer
    })
    for (const [index, { dispatch }] of flights.entries()) dispatch.answered(answers[index] ?? { kind: 'retry', error })
    sending = flights.length > 0
  }
  return { broker, outcomes }
}

const fates = fc.array(fc.constantFrom<Fate>('fine', 'fine', 'lost request', 'lost answer'), { maxLength: 30 })
const harsh = fc.array(fc.constantFrom<Fate>('fine', 'lost request', 'lost answer', 'rejected'), { maxLength: 30 })

test('through lost requests and lost answers every batch is stored once and in order', () => {
  fc.assert(
    fc.property(fates, fc.integer({ min: 1, max: 15 }), (script, count) => {
      const { broker, outcomes } = play(script, count)
      assert.deepEqual(
        broker.stored,
        Array.from({ length: count }, (_, n) => `b${n}`),
      )
      for (const { kind } of outcomes.values()) assert.equal(kind, 'stored')
      assert.equal(outcomes.size, count)
    }),
  )
})

test('what is called stored is stored, and first copies keep their order even where batches are rejected', () => {
  fc.assert(
    fc.property(harsh, fc.integer({ min: 1, max: 15 }), (script, count) => {
      const { broker, outcomes } = play(script, count)
      assert.equal(outcomes.size, count)
      for (const [name, { kind }] of outcomes) if (kind === 'stored') assert.ok(broker.stored.includes(name), name)
      const firsts = [...new Set(broker.stored)].map((name) => Number(name.slice(1)))
      assert.deepEqual(
        firsts,
        [...firsts].sort((a, b) => a - b),
      )
    }),
  )
})

const pending = (settle: (outcome: Outcome) => void = () => undefined) => ({
  bytes: Buffer.from('b'),
  count: 1,
  settle,
})

test('nothing is sent beside the first batch of an epoch, and at most five afterwards', () => {
  const log = new PartitionLog(1n, 0)
  for (let n = 0; n < 9; n++) log.add(pending())
  const [first, ...others] = log.take(() => 0)
  assert.equal(others.length, 0)
  first?.answered({ kind: 'stored' })
  assert.equal(log.take(() => 0).length, 5)
  assert.equal(log.take(() => 0).length, 0)
})

test('after giving up, the next batch begins a greater epoch, so that late requests are refused', () => {
  const log = new PartitionLog(1n, 0)
  let failed: Outcome | undefined
  log.add(pending((outcome) => (failed = outcome)))
  const [late] = log.take(() => 0)
  log.fail(error)
  assert.equal(failed?.kind, 'failed')
  log.add(pending())
  assert.equal(log.take(() => 0).length, 0, 'waits for the answer that is still out')
  late?.answered({ kind: 'retry', error })
  assert.deepEqual(
    log.take(() => 0).map(({ epoch, sequence }) => ({ epoch, sequence })),
    [{ epoch: 1, sequence: 0 }],
  )
})

test('it says since when the first in line fails, until something is stored', () => {
  const log = new PartitionLog(1n, 0)
  log.add(pending())
  log.take(() => 70)[0]?.answered({ kind: 'retry', error })
  assert.equal(log.failedSince, 70)
  log.take(() => 90)[0]?.answered({ kind: 'stored' })
  assert.equal(log.failedSince, undefined)
})
