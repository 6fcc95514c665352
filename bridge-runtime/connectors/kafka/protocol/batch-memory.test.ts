import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchMemory } from './batch-memory.ts'

test('memory that was given back is taken again', () => {
  const memory = new BatchMemory(1_000, 2)
  const first = memory.take(800)
  assert.equal(first.length, 800)
  memory.give(first)
  assert.equal(memory.take(600).buffer, first.buffer)
  assert.notEqual(memory.take(600).buffer, first.buffer)
})

test('a small batch takes no more than it needs, and is not kept', () => {
  const memory = new BatchMemory(1_000, 2)
  const small = memory.take(100)
  assert.equal(small.buffer.byteLength, 100)
  memory.give(small)
  assert.equal(memory.take(1_000).buffer.byteLength, 1_000)
})

test('a batch beyond the largest size gets memory of its own', () => {
  const memory = new BatchMemory(1_000, 2)
  const large = memory.take(3_000)
  assert.equal(large.length, 3_000)
  memory.give(large)
  assert.equal(memory.take(900).buffer.byteLength, 1_000)
})

test('no more than the most is kept', () => {
  const memory = new BatchMemory(1_000, 1)
  const [first, second] = [memory.take(900), memory.take(900)]
  memory.give(first)
  memory.give(second)
  assert.equal(memory.take(900).buffer, first.buffer)
  assert.notEqual(memory.take(900).buffer, second.buffer)
})
