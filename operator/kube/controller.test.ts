import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { type ControllerOptions, type Outcome, startController } from './controller.ts'

const onChange: Outcome = { again: 'onChange' }

const start = (reconcile: ControllerOptions['reconcile'], concurrency = 2) => {
  const clock = fakeClock()
  const runs: string[] = []
  const controller = startController({
    reconcile: (key, signal) => {
      runs.push(`${key}@${clock.monotonic()}`)
      return reconcile(key, signal)
    },
    clock,
    backoff: { initial: 1_000, max: 4_000, random: () => 0 },
    concurrency,
    logger: silentLogger,
  })
  return { clock, runs, controller }
}

test('a key runs when it changes and when its outcome asks for it', async () => {
  const { clock, runs, controller } = start(async () => ({ again: 'after', milliseconds: 100 }))
  controller.enqueue('a')
  await clock.advance(250)
  assert.deepEqual(runs, ['a@0', 'a@100', 'a@200'])
  await controller.stop()
})

test('a key that fails comes back after a growing wait', async () => {
  let failing = true
  const { clock, runs, controller } = start(async () => {
    if (failing) throw new Error('no')
    return onChange
  })
  controller.enqueue('a')
  await clock.advance(1_500)
  failing = false
  await clock.advance(60_000)
  assert.deepEqual(runs, ['a@0', 'a@500', 'a@1500', 'a@3500'])
  await controller.stop()
})

test('a key that hangs holds up no other', async () => {
  const hang = Promise.withResolvers<Outcome>()
  const { clock, runs, controller } = start((key) => (key === 'bad' ? hang.promise : Promise.resolve(onChange)))
  controller.enqueue('bad')
  for (const key of ['a', 'b', 'c']) controller.enqueue(key)
  await clock.advance(0)
  assert.deepEqual(runs, ['bad@0', 'a@0', 'b@0', 'c@0'])
  hang.resolve(onChange)
  await controller.stop()
})

test('a reconcile that throws at once is a failure like any other', async () => {
  const { clock, runs, controller } = start(() => {
    throw new Error('no')
  })
  controller.enqueue('a')
  await clock.advance(500)
  assert.equal(runs.length, 2)
  await controller.stop()
})

test('no more keys run at once than the concurrency', async () => {
  let running = 0
  let most = 0
  const { clock, controller } = start(async () => {
    most = Math.max(most, ++running)
    await clock.sleep(10)
    running -= 1
    return onChange
  }, 3)
  for (let n = 0; n < 20; n++) controller.enqueue(String(n))
  await clock.advance(1_000)
  assert.deepEqual([most, running], [3, 0])
  await controller.stop()
})

test('stop waits for the run under way and starts no other', async () => {
  const under = Promise.withResolvers<Outcome>()
  const { clock, runs, controller } = start((_key, signal) => {
    signal.addEventListener('abort', () => under.resolve(onChange))
    return under.promise
  }, 1)
  controller.enqueue('a')
  controller.enqueue('b')
  await clock.advance(0)
  await controller.stop()
  assert.deepEqual(runs, ['a@0'])
})
