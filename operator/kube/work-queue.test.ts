import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { createWorkQueue, type WorkQueue } from './work-queue.ts'

const backoff = { initial: 100, max: 1_000, random: () => 0.5 }

/** Takes keys as they come, until the queue closes. */
function takeAll(queue: WorkQueue): string[] {
  const taken: string[] = []
  const run = async (): Promise<void> => {
    for (let key = await queue.next(); key !== undefined; key = await queue.next()) taken.push(key)
  }
  void run()
  return taken
}

test('a key that is added twice waits once', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue(clock, backoff)
  queue.add('a')
  queue.add('a')
  queue.add('b')
  const taken = takeAll(queue)
  await clock.advance(0)
  assert.deepEqual(taken, ['a', 'b'])
})

test('a key that is added while it runs is handed out once more afterwards', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue(clock, backoff)
  const taken = takeAll(queue)
  queue.add('a')
  await clock.advance(0)
  queue.add('a')
  queue.add('a')
  await clock.advance(1_000)
  assert.deepEqual(taken, ['a'])
  queue.done('a', 'ok')
  await clock.advance(0)
  assert.deepEqual(taken, ['a', 'a'])
  queue.done('a', 'ok')
  await clock.advance(10_000)
  assert.deepEqual(taken, ['a', 'a'])
})

test('of several times to come the earliest counts', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue(clock, backoff)
  const taken = takeAll(queue)
  queue.addAfter('a', 500)
  queue.addAfter('a', 200)
  queue.addAfter('a', 300)
  await clock.advance(199)
  assert.deepEqual(taken, [])
  await clock.advance(1)
  assert.deepEqual(taken, ['a'])
  queue.done('a', 'ok')
  await clock.advance(1_000)
  assert.deepEqual(taken, ['a'])
})

test('a key that fails waits longer each time, up to a limit, and a success forgets it', async () => {
  const clock = fakeClock()
  const queue = createWorkQueue(clock, backoff)
  const waits: number[] = []
  queue.add('a')
  for (const result of [
    'failed',
    'failed',
    'failed',
    'failed',
    'failed',
    'failed',
    'ok',
    'failed',
    'failed',
  ] as const) {
    const since = clock.monotonic()
    const next = queue.next().then(() => waits.push(clock.monotonic() - since))
    await clock.advance(2_000)
    await next
    queue.done('a', result)
    if (result === 'ok') queue.add('a')
  }
  assert.deepEqual(waits, [0, 75, 150, 300, 600, 750, 750, 0, 75])
})

test('each wait after a failure is half certain and half random', async () => {
  const ends: number[] = []
  for (const random of [0, 0.999]) {
    const clock = fakeClock()
    const queue = createWorkQueue(clock, { initial: 100, max: 1_000, random: () => random })
    const taken = takeAll(queue)
    queue.add('a')
    await clock.advance(0)
    queue.done('a', 'failed')
    while (taken.length < 2) await clock.advance(1)
    ends.push(clock.monotonic())
  }
  assert.deepEqual(ends, [50, 100])
})

test('a closed queue hands out nothing more', async () => {
  const queue = createWorkQueue(fakeClock(), backoff)
  const waiting = queue.next()
  queue.close()
  queue.add('a')
  assert.deepEqual([await waiting, await queue.next()], [undefined, undefined])
})

type Step =
  | { readonly do: 'add'; readonly key: string }
  | { readonly do: 'addAfter'; readonly key: string; readonly wait: number }
  | { readonly do: 'advance'; readonly by: number }
  | { readonly do: 'finish'; readonly pick: number; readonly result: 'ok' | 'failed' }

const key = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, wait: fc.integer({ min: 0, max: 500 }) }),
  fc.record({ do: fc.constant('advance' as const), by: fc.integer({ min: 0, max: 400 }) }),
  fc.record({
    do: fc.constant('finish' as const),
    pick: fc.nat({ max: 9 }),
    result: fc.constantFrom('ok' as const, 'failed' as const),
  }),
)

/** What the queue promises, kept beside it: when each key is due at the latest and at the earliest. */
class Model {
  readonly #due = new Map<string, number>()
  readonly out = new Set<string>()

  wants(key: string, at: number): void {
    this.#due.set(key, Math.min(at, this.#due.get(key) ?? Infinity))
  }

  taken(key: string, now: number): void {
    assert.ok(!this.out.has(key), `${key} handed out twice`)
    const due = this.#due.get(key)
    assert.ok(due !== undefined && now >= due, `${key} at ${now}, due ${due}`)
    this.#due.delete(key)
    this.out.add(key)
  }

  /** With somebody always waiting, nothing that is due may still lie there. */
  settled(now: number): void {
    for (const [key, due] of this.#due)
      assert.ok(this.out.has(key) || due > now, `${key} was due at ${due}, now ${now}`)
  }
}

test('a key is never handed out twice at once, never early and never lost, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = fakeClock()
      const queue = createWorkQueue(clock, backoff)
      const model = new Model()
      const run = async (): Promise<void> => {
        for (let key = await queue.next(); key !== undefined; key = await queue.next())
          model.taken(key, clock.monotonic())
      }
      const running = run()
      const failures = new Map<string, number>()
      const finish = (key: string, result: 'ok' | 'failed'): void => {
        const count = result === 'ok' ? 0 : (failures.get(key) ?? 0) + 1
        failures.set(key, count)
        model.out.delete(key)
        if (count > 0) model.wants(key, clock.monotonic() + 0.75 * Math.min(1_000, 100 * 2 ** (count - 1)))
        queue.done(key, result)
      }
      const take = async (step: Step): Promise<void> => {
        if (step.do === 'add') {
          model.wants(step.key, clock.monotonic())
          queue.add(step.key)
        } else if (step.do === 'addAfter') {
          model.wants(step.key, clock.monotonic() + step.wait)
          queue.addAfter(step.key, step.wait)
        } else if (step.do === 'finish') {
          const key = [...model.out][step.pick % Math.max(1, model.out.size)]
          if (key !== undefined) finish(key, step.result)
        }
        await clock.advance(step.do === 'advance' ? step.by : 0)
        model.settled(clock.monotonic())
      }
      for (const each of steps) await take(each)
      queue.close()
      await running
    }),
    { numRuns: 300 },
  )
})
