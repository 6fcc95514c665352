import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type Broker, brokers, openEnd } from '../support/ends/brokers.ts'
import { assertWhole, tallyLine } from '../support/tally.ts'
import { direction } from './direction.ts'
import { type Disturb, replicasTo, scaleStorm, suspendOne, unfair } from './replicas.ts'

/** `npm run chaos` has two minutes of it. */
const storm = 25_000

async function assertShared(t: TestContext, source: Broker, disturbed: Disturb) {
  await using pair = await direction(openEnd(source), openEnd(replicasTo(source)))
  const result = await disturbed({ direction: pair, seed: 1 })
  t.diagnostic(`${pair.name}: ${tallyLine(result.tally)}, longest pause ${Math.round(result.longestPause)} ms`)
  assertWhole(result.tally, Number.POSITIVE_INFINITY)
  assert.equal(unfair(result), undefined)
}

for (const source of brokers) {
  test(`a replica of ${source} that wakes after three leases loses, reorders and commits nothing`, (t) =>
    assertShared(t, source, suspendOne))

  test(`replicas of ${source} that come and go lose and reorder nothing, and records keep coming`, (t) =>
    assertShared(t, source, (options) => scaleStorm(options, storm)))
}
