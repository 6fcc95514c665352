import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Repeats } from './repeats.ts'

const lease = 15_000
const taken = (at: number, leasedUntil = at + lease) => ({ at, leasedUntil, how: 'taken' as const })
/** What was settled at 0 with a full lease. */
function settled(...identities: readonly string[]): Repeats {
  const repeats = new Repeats(lease, 0)
  for (const identity of identities) repeats.settled(identity, taken(0))
  return repeats
}

test('a message that crossed its acknowledgement is a repetition', () => {
  assert.equal(settled('1').judge('1', '', 500), 'repetition')
})

test('a message that comes when its lease is over is a repetition: its acknowledgement was late, or lost', () => {
  assert.equal(settled('1').judge('1', '', lease + 1_000), 'repetition')
  assert.equal(settled('1').judge('1', '', lease - 1_000), 'repetition')
})

test('a message that comes again without a reason of the service’s own is a replay, and so is what follows', () => {
  const repeats = settled('1', '2', '3')
  repeats.settled('4', taken(5_900))
  assert.equal(repeats.judge('1', 'k', 6_000), 'replay')
  assert.equal(repeats.judge('2', 'k', 6_000), 'new')
  assert.equal(repeats.judge('4', 'other', 6_000), 'new', 'also what might have crossed its acknowledgement')
})

test('what follows a message whose lease was lost is a repetition, of its key and of no other', () => {
  const repeats = settled('1', '2')
  repeats.broken('k', 5_000)
  assert.equal(repeats.judge('1', 'k', 6_000), 'repetition')
  assert.equal(repeats.judge('2', 'other', 6_000), 'replay')
})

test('what follows a repetition of its key is one', () => {
  const repeats = new Repeats(lease, 0)
  repeats.settled('1', taken(0, 1_000))
  repeats.settled('2', taken(0))
  assert.equal(repeats.judge('1', 'k', 4_000), 'repetition')
  assert.equal(repeats.judge('2', 'k', 4_000), 'repetition')
})

test('with exactly-once delivery whatever comes again after its acknowledgement was confirmed is a replay', () => {
  const repeats = new Repeats(lease, 0)
  repeats.settled('1', { at: 0, leasedUntil: 60_000, how: 'assured' })
  assert.equal(repeats.judge('1', '', 100), 'replay')
  repeats.settled('2', { at: 0, leasedUntil: 60_000, how: 'refused' })
  assert.equal(repeats.judge('2', '', 30_000), 'repetition', 'the service said that it would come')
})

test('what was settled minutes ago is new', () => {
  assert.equal(settled('1').judge('1', '', 180_000), 'new')
})
