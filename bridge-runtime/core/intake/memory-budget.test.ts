import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { eventually } from '../../../test/support/eventually.ts'
import { memoryEngine } from '../../../test/support/memory/engine.ts'
import { MemorySink } from '../../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../../test/support/memory/source.ts'
import { BridgeError } from '../errors.ts'
import { MemoryBudget } from './memory-budget.ts'

const never = new AbortController().signal

test('what does not fit waits, but for one batch at a time', async () => {
  const holders = [{ inFlightBytes: 0 }, { inFlightBytes: 0 }, { inFlightBytes: 0 }]
  const budget = new MemoryBudget(100, () => holders)
  const taken: number[] = []
  const admit = (index: number, bytes: number, signal = never): Promise<void> => {
    const holder = holders[index] ?? { inFlightBytes: 0 }
    const take = (): void => {
      taken.push(bytes)
      holder.inFlightBytes += bytes
    }
    return budget.admit(holder, bytes, take, signal)
  }
  await admit(0, 80)
  await admit(1, 70)
  const third = admit(2, 60)
  const stop = new AbortController()
  const fourth = admit(2, 90, stop.signal)
  stop.abort()
  await fourth
  assert.deepEqual(taken, [80, 70])
  Object.assign(holders[0] ?? {}, { inFlightBytes: 0 })
  budget.changed()
  await Promise.resolve()
  assert.deepEqual(taken, [80, 70])
  Object.assign(holders[1] ?? {}, { inFlightBytes: 0 })
  budget.changed()
  await third
  assert.deepEqual(taken, [80, 70, 60])
})

test('garbage of large batches is collected before more than the limit of it can have come together; small ones are left to V8', async () => {
  const holder = { inFlightBytes: 0 }
  const done: string[] = []
  const budget = new MemoryBudget(
    100,
    () => [holder],
    () => done.push('collected'),
  )
  for (const bytes of [20, 25, 25, 25, 60, 60, 30, 90, 5])
    await budget.admit(holder, bytes, () => done.push(`${bytes}`), never)
  assert.deepEqual(done, ['20', '25', '25', '25', '60', 'collected', '60', '30', 'collected', '90', '5'])
})

test('many partitions with batches larger than their share hold one batch over the bound, not one each', async () => {
  const log = new MemoryLog(16)
  for (let offset = 0; offset < 160; offset += 1)
    log.append(offset % 16, `${offset % 16}`, Buffer.alloc(1_000, offset % 16))
  let held = 0
  const sink = new MemorySink({
    gate: () => {
      held = Math.max(
        held,
        engine.pumps.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0),
      )
      return new Promise((resolve) => setTimeout(resolve, 2))
    },
  })
  // Batches of 10 KB: the share of a partition is 2 KB.
  const engine = memoryEngine(new MemorySource(log, { finite: true }), sink, { maxInFlightBytes: 32_000 })
  await engine.run(never)
  assert.equal(sink.stored.length, 160)
  assert.ok(held <= 32_000 + 10_100, `${held} bytes were held`)
})

test('a partition that waits for a person holds no memory that others need', async () => {
  const log = new MemoryLog(4)
  for (let offset = 0; offset < 400; offset += 1) log.append(offset % 4, 'k', Buffer.alloc(1_000, offset % 4))
  const poison = new BridgeError('no', { kind: 'poison', reason: 'InvalidRecord' })
  const sink = new MemorySink({ fail: ({ value }) => (value?.[0] === 3 ? undefined : poison) })
  const engine = memoryEngine(new MemorySource(log), sink, { maxInFlightBytes: 15_000 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('the good partition is through', () => log.committed[3] === 100)
  const held = (): number => engine.pumps.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0)
  await eventually('nothing is held', () => held() === 0)
  assert.equal(engine.pumps.filter(({ halted }) => halted !== undefined).length, 3)
  stop.abort()
  await running
  assert.deepEqual(log.committed, [0, 0, 0, 100])
})

test('a partition that stopped at a record does not keep the batch it was in', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const poison = new BridgeError('no', { kind: 'poison', reason: 'InvalidRecord' })
  const log = new MemoryLog(1)
  log.append(0, 'k', 'v')
  let seen: WeakRef<object> | undefined
  const readAsCopies = new MemorySource(log, {
    copy: (each) => {
      const copy = { ...each }
      seen = new WeakRef(copy)
      return copy
    },
  })
  const refusing = new MemorySink({ fail: () => poison, forgetful: true })
  const engine = memoryEngine(readAsCopies, refusing)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('it has stopped', () => engine.pumps[0]?.halted)
  await eventually('the record is gone', () => {
    collect()
    return seen !== undefined && seen.deref() === undefined
  })
  stop.abort()
  await running
})
