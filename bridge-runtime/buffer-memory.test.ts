import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spec } from '../crds/schema/streambridge.ts'
import { fakeClock } from '../test/support/fake-clock.ts'
import { boundBuffers, collectsEarly } from './buffer-memory.ts'

const mega = 1024 * 1024

/** A process in which so much is in use, and the rest is garbage. */
function start(inUse: number) {
  const clock = fakeClock()
  const stop = new AbortController()
  const state = { inUse, garbage: 0, collections: 0 }
  const done = boundBuffers(
    {
      used: () => state.inUse + state.garbage,
      collect: () => {
        state.garbage = 0
        state.collections += 1
      },
    },
    clock,
    stop.signal,
  )
  return { clock, stop, state, done }
}

test('garbage of 24 MiB is collected, less is left to V8', async () => {
  const { clock, stop, state } = start(10 * mega)
  state.garbage = 23 * mega
  await clock.advance(1_000)
  assert.equal(state.collections, 0)
  state.garbage = 24 * mega
  await clock.advance(1_000)
  assert.equal(state.collections, 1)
  stop.abort()
})

test('buffers in use, however many, are not collected for again and again', async () => {
  const { clock, stop, state } = start(0)
  state.inUse = 500 * mega
  await clock.advance(1_000)
  assert.equal(state.collections, 1)
  stop.abort()
})

test('growth counts from the least that was in use', async () => {
  const { clock, stop, state } = start(500 * mega)
  state.inUse = 10 * mega
  await clock.advance(1_000)
  state.garbage = 33 * mega
  await clock.advance(1_000)
  assert.equal(state.collections, 1)
  stop.abort()
})

test('it ends with the signal', async () => {
  const { clock, stop, done } = start(0)
  stop.abort()
  await done
  assert.equal(clock.sleeping, 0)
})

test('it is done between Kafka and Kafka, and nowhere else', () => {
  const kafka = { bootstrapServers: ['kafka:9092'] }
  const { source, sink } = spec.shape
  const file = (to: object) => ({
    source: source.parse({ kafka: { ...kafka, topics: ['orders'] } }),
    sink: sink.parse(to),
  })
  assert.equal(collectsEarly(file({ kafka: { ...kafka, topic: 'orders' } })), true)
  assert.equal(collectsEarly(file({ pubsub: { projectID: 'shop-prod', topic: 'orders' } })), false)
})
