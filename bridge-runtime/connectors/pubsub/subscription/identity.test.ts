import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginning, goingOn, reset, withGap } from '../../../history/content.ts'
import { judge, type Look, streamOf } from './identity.ts'

const name = 'projects/p/subscriptions/orders'
const topic = 'projects/p/topics/orders'
const made: Look = { topic, labels: { 'streambridge-birth': 'a1' } }
const found: Look = { topic }
const history = (look: Look) => beginning('Subscription', [streamOf(name, look)])(undefined)
const options = { name, topic: undefined, history: history(found) }

test('a bridge that never began takes the subscription as it is', () => {
  for (const look of [found, made, 'hidden', 'missing'] as const)
    assert.equal(judge(look, { ...options, history: undefined }).kind, 'first')
})

test('a subscription stays the same while its topic and its birth do', () => {
  assert.equal(judge(found, options).kind, 'same')
  assert.equal(judge(made, { ...options, history: history(made) }).kind, 'same')
})

test('what may not be looked at is taken for the same', () => {
  assert.equal(judge('hidden', options).kind, 'same')
  assert.equal(judge(found, { ...options, history: history('hidden') }).kind, 'same')
})

test('a subscription that was deleted is a gap', () => {
  const judgement = judge('missing', options)
  assert.ok('message' in judgement)
  assert.equal(judgement.kind, 'gap')
  assert.match(judgement.message, /orders.*was deleted.*onDataGap: Continue.*reset\.token/)
})

test('one made again under its name is a gap, by its birth or by its topic', () => {
  for (const look of [{ topic, labels: { 'streambridge-birth': 'b2' } }, found, { topic: 'projects/p/topics/other' }])
    assert.equal(judge(look, { ...options, history: history(made) }).kind, 'gap')
})

test('another subscription than the one read so far is a gap that names both', () => {
  const judgement = judge(found, { ...options, name: 'projects/p/subscriptions/other' })
  assert.ok('message' in judgement)
  assert.match(judgement.message, /subscriptions\/orders until now, not projects\/p\/subscriptions\/other/)
})

test('a gap that was told stays, whatever is found now', () => {
  const told = { ...options, history: withGap(name, 'it was deleted')(options.history) }
  assert.deepEqual(judge(found, told), { kind: 'gap', message: 'it was deleted' })
})

test('a person’s decision ends it', () => {
  assert.equal(judge(made, { ...options, history: goingOn([streamOf(name, made)])(options.history) }).kind, 'same')
  assert.equal(judge(made, { ...options, history: reset('monday')(options.history) }).kind, 'first')
})

test('a subscription whose topic was deleted is read to its end, and told', () => {
  const orphan: Look = { topic: '_deleted-topic_' }
  for (const history of [options.history, undefined]) {
    const judgement = judge(orphan, { ...options, topic, history })
    assert.ok('message' in judgement)
    assert.equal(judgement.kind, 'orphan')
    assert.match(judgement.message, /the topic of subscription .* was deleted/)
  }
})

test('a subscription to another topic than the manifest names is refused, decided or not', () => {
  const judgement = judge(found, { ...options, topic: 'projects/p/topics/other' })
  assert.ok('message' in judgement)
  assert.equal(judgement.kind, 'misplaced')
  assert.match(judgement.message, /belongs to topic projects\/p\/topics\/orders.*topics\/other/)
})
