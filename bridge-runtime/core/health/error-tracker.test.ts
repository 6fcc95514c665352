import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import type { RuntimeReason } from '../../../crds/kit/reasons.ts'
import { BridgeError } from '../errors.ts'
import { type Component, ErrorTracker } from './error-tracker.ts'

const error = (reason: RuntimeReason): BridgeError => new BridgeError(`it is ${reason}`, { kind: 'retryable', reason })

function failing() {
  const changes: string[] = []
  let now = 0
  const places = new ErrorTracker(
    () => now++,
    (component, failure) => changes.push(`${component} ${failure?.reason ?? 'works'}`),
  )
  return { places, changes }
}

test('a component fails until its last place works, and the newest failure speaks for it', () => {
  const { places, changes } = failing()
  places.failed('sink', 'lane 1', error('Throttled'))
  places.failed('sink', 'lane 2', error('ServiceUnavailable'))
  places.failed('sink', 'lane 2', error('ServiceUnavailable'))
  places.worked('sink', 'lane 2')
  assert.equal(places.newest('sink')?.error.reason, 'Throttled')
  places.worked('sink', 'lane 1')
  assert.equal(places.newest('sink'), undefined)
  assert.deepEqual(changes, ['sink Throttled', 'sink ServiceUnavailable', 'sink works'])
})

test('a failure that repeats counts, from its first time on, until the reason is another one', () => {
  const { places } = failing()
  for (let time = 0; time < 3; time += 1) places.failed('source', 'poll', error('ServiceUnavailable'))
  assert.deepEqual(
    { ...places.newest('source'), error: '' },
    { component: 'source', error: '', count: 3, firstAt: 0, lastAt: 2, disconnects: true },
  )
  places.failed('source', 'poll', error('AccessDenied'))
  assert.equal(places.newest('source')?.count, 1)
})

test('a partition that is gone takes all its failures along, and no other’s', () => {
  const { places } = failing()
  places.failed('sink', 'p1 lane 1', error('Throttled'))
  places.failed('source', 'p1 poll', error('ServiceUnavailable'))
  places.failed('sink', 'p10 lane 1', error('Throttled'))
  places.forget('p1 ')
  assert.deepEqual(
    places.all().map(({ component, lastAt }) => [component, lastAt]),
    [['sink', 2]],
  )
})

test('whatever fails and works, the newest of what fails still speaks for its component', () => {
  const components: readonly Component[] = ['source', 'sink']
  const step = fc.record({
    component: fc.constantFrom(...components),
    place: fc.constantFrom('a', 'b', 'c'),
    fails: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { places } = failing()
      const lasting: { readonly component: Component; readonly place: string; readonly failure: BridgeError }[] = []
      for (const [number, { component, place, fails }] of steps.entries()) {
        const at = lasting.findIndex((each) => each.component === component && each.place === place)
        if (at !== -1) lasting.splice(at, 1)
        if (fails) {
          const failure = new BridgeError(`failure ${number}`, { kind: 'retryable', reason: 'Unknown' })
          places.failed(component, place, failure)
          lasting.push({ component, place, failure })
        } else places.worked(component, place)
        for (const each of components)
          assert.equal(places.newest(each)?.error, lasting.findLast((entry) => entry.component === each)?.failure)
      }
    }),
  )
})

test('a gap in the whole source keeps records from passing, and the newest such word is told; one of a partition does not', () => {
  const { places } = failing()
  const missing = new BridgeError('the subscription does not exist', { kind: 'fatal', reason: 'SubscriptionNotFound' })
  const gap = new BridgeError('records may be lost', { kind: 'fatal', reason: 'DataGap' })
  places.failed('source', 'p halted', gap)
  assert.equal(places.disconnected('source'), false)
  places.failed('source', 'connection', missing)
  places.failed('source', 'run', gap)
  assert.deepEqual([places.newest('source')?.error.reason, places.disconnected('source')], ['DataGap', true])
})

test('an error that lasts does not keep what was worked on when it was made', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { places } = failing()
  const fail = async (): Promise<WeakRef<object>> => {
    const records = { large: true }
    const write = (): BridgeError => {
      assert.ok(records.large)
      return error('RecordTooLarge')
    }
    places.failed(
      'sink',
      'p halted',
      new BridgeError('stopped', { kind: 'poison', reason: 'RecordTooLarge', cause: write() }),
    )
    return Promise.resolve(new WeakRef(records))
  }
  const seen = await fail()
  await new Promise(setImmediate)
  collect()
  assert.equal(seen.deref(), undefined)
})
