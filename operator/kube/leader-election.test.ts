import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import { type FakeClock, fakeClock } from '../../test/support/fake-clock.ts'
import { createEmbeddedKube } from '../embedded/api-server/api.ts'
import { interfere } from '../../test/support/kube-faults.ts'
import { type KubeApi, KubeError } from './api.ts'
import { electLeader, type Leadership } from './leader-election.ts'
import { leases } from './resources.ts'

const lease = { namespace: 'system', name: 'streambridge-operator' }

interface Candidate extends Leadership {
  readonly lost: string[]
}

const candidate = (api: KubeApi, clock: FakeClock, identity: string): Candidate => {
  const lost: string[] = []
  const leadership = electLeader({
    api,
    clock,
    random: () => 0,
    logger: silentLogger,
    lease,
    identity,
    onLost: (reason) => lost.push(reason),
  })
  return { ...leadership, lost }
}

const unreachable = (): never => {
  throw new KubeError('connect ECONNREFUSED', { status: 0, reason: 'Unreachable' })
}

test('the first candidate leads, the others wait', async () => {
  const clock = fakeClock()
  const api = createEmbeddedKube({ clock })
  const a = candidate(api, clock, 'a')
  await a.elected
  const b = candidate(api, clock, 'b')
  await clock.advance(120_000)
  assert.deepEqual([a.isLeader(), b.isLeader(), a.lost], [true, false, []])
  const stored = await api.get(leases, lease)
  assert.deepEqual([stored?.spec?.holderIdentity, stored?.spec?.leaseDurationSeconds], ['a', 15])
  assert.match(stored?.spec?.renewTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  await Promise.all([a.stop(), b.stop()])
})

test('a leader that stops gives the lease to the next within one retry', async () => {
  const clock = fakeClock()
  const api = createEmbeddedKube({ clock })
  const a = candidate(api, clock, 'a')
  await a.elected
  const b = candidate(api, clock, 'b')
  await clock.advance(5_000)
  await a.stop()
  assert.equal(a.isLeader(), false)
  await clock.advance(2_000)
  assert.deepEqual([b.isLeader(), a.lost], [true, []])
  assert.equal((await api.get(leases, lease))?.spec?.leaseTransitions, 1)
  await b.stop()
})

test('a leader that crashes is replaced after the lease and one retry', async () => {
  const clock = fakeClock()
  const api = createEmbeddedKube({ clock })
  let alive = true
  const a = candidate(interfere(api, { before: () => void (alive || unreachable()) }), clock, 'a')
  await a.elected
  const b = candidate(api, clock, 'b')
  await clock.advance(4_500)
  alive = false
  await clock.advance(14_000)
  assert.equal(b.isLeader(), false)
  await clock.advance(3_500)
  assert.equal(b.isLeader(), true)
  await Promise.all([a.stop(), b.stop()])
})

test('a leader that cannot renew stops leading at the deadline and says so once', async () => {
  const clock = fakeClock()
  const kube = createEmbeddedKube({ clock })
  let alive = true
  const a = candidate(interfere(kube, { before: () => void (alive || unreachable()) }), clock, 'a')
  await a.elected
  alive = false
  await clock.advance(9_900)
  assert.deepEqual([a.isLeader(), a.lost], [true, []])
  await clock.advance(200)
  assert.deepEqual([a.isLeader(), a.lost.length], [false, 1])
  alive = true
  await clock.advance(60_000)
  assert.deepEqual([a.isLeader(), a.lost.length], [false, 1])
})

test('an answer that comes after the deadline does not bring the lease back', async () => {
  const clock = fakeClock()
  const kube = createEmbeddedKube({ clock })
  let slow = false
  const a = candidate(interfere(kube, { before: async () => void (slow && (await clock.sleep(12_000))) }), clock, 'a')
  await a.elected
  slow = true
  await clock.advance(11_000)
  assert.deepEqual([a.isLeader(), a.lost.length], [false, 1])
  await clock.advance(10_000)
  assert.equal(a.isLeader(), false)
})

test('a renewal whose answer was lost keeps the lease', async () => {
  const clock = fakeClock()
  const kube = createEmbeddedKube({ clock })
  let lose = false
  const a = candidate(
    interfere(kube, {
      after: () => {
        if (lose) {
          lose = false
          unreachable()
        }
      },
    }),
    clock,
    'a',
  )
  await a.elected
  lose = true
  await clock.advance(30_000)
  assert.deepEqual([a.isLeader(), a.lost], [true, []])
  await a.stop()
})

test('a lease that another replica holds is lost at once', async () => {
  const clock = fakeClock()
  const api = createEmbeddedKube({ clock })
  const a = candidate(api, clock, 'a')
  await a.elected
  const stored = await api.get(leases, lease)
  assert.ok(stored !== undefined)
  await api.as('kubectl').replace(leases, { ...stored, spec: { ...stored.spec, holderIdentity: 'b' } })
  await clock.advance(2_500)
  assert.deepEqual([a.isLeader(), a.lost], [false, ['another replica holds it']])
})

test('leader election does not depend on wall clocks', async () => {
  const [slow, fast] = [fakeClock(), fakeClock()]
  const api = createEmbeddedKube({ clock: slow })
  const a = candidate(api, slow, 'a')
  await a.elected
  fast.skew(24 * 3_600_000)
  const b = candidate(api, fast, 'b')
  for (let second = 0; second < 60; second++) {
    await slow.advance(1_000)
    await fast.advance(1_000)
  }
  assert.deepEqual([a.isLeader(), b.isLeader(), a.lost], [true, false, []])
  await Promise.all([a.stop(), b.stop()])
})

test('a leader that was frozen beyond the deadline does not lead when it continues', async () => {
  const [sleeper, other] = [fakeClock(), fakeClock()]
  const kube = createEmbeddedKube({ clock: other })
  const a = candidate(kube, sleeper, 'a')
  await a.elected
  const b = candidate(kube, other, 'b')
  await other.advance(20_000)
  assert.equal(b.isLeader(), true)
  const waking = sleeper.freeze(20_000)
  assert.equal(a.isLeader(), false)
  await waking
  assert.equal(a.lost.length, 1)
  await b.stop()
})

test('two replicas never lead at the same time, whatever fails', async () => {
  const fate = fc.constantFrom('fine', 'fine', 'fine', 'refused', 'lost answer', 'slow')
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fate), fc.infiniteStream(fc.nat(2_000)), async (fates, waits) => {
      const clock = fakeClock()
      const kube = createEmbeddedKube({ clock })
      const faulty = interfere(kube, {
        before: async () => {
          const next = fates.next().value
          if (next === 'refused') unreachable()
          if (next === 'slow') await clock.sleep(4 * (waits.next().value ?? 0))
        },
        after: () => void (fates.next().value === 'lost answer' && unreachable()),
      })
      const all = ['a', 'b', 'c'].map((identity) => candidate(faulty, clock, identity))
      for (let step = 0; step < 100; step++) {
        await clock.advance(waits.next().value ?? 0)
        assert.ok(all.filter((one) => one.isLeader()).length <= 1, `two leaders at ${clock.monotonic()}`)
      }
    }),
    { numRuns: 60 },
  )
})
