import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { type Action, Replica, World } from '../../test/support/leases/simulation.ts'

/** Two shards, one of which was split, and a merge of a child with the other. */
const lineage = [
  { partition: 'a', parents: [] },
  { partition: 'b', parents: [] },
  { partition: 'a1', parents: ['a'] },
  { partition: 'a2', parents: ['a'] },
  { partition: 'a2b', parents: ['a2', 'b'] },
]

const flat = (count: number) => Array.from({ length: count }, (_, index) => ({ partition: `p${index}`, parents: [] }))

const actions: readonly Action[] = ['pause', 'resume', 'cut', 'heal', 'kill', 'start', 'stop']

const event = fc.record({
  replica: fc.nat({ max: 2 }),
  action: fc.constantFrom(...actions),
  wait: fc.nat({ max: 2_500 }),
})

test('through stops, cuts, kills and lost answers no two live owners meet, checkpoints only advance, and all is delivered, parents first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(event, { maxLength: 25 }), async (seed, events) => {
      const world = new World(seed, lineage, 12)
      const replicas = [0, 1, 2].map((index) => new Replica(world, `replica-${index}`))
      for (const replica of replicas) replica.do('start')
      for (const { replica, action, wait } of events) {
        replicas[replica]?.do(action)
        await world.clock.advance(wait)
      }
      world.lossy = 0
      for (const replica of replicas) for (const action of ['resume', 'heal', 'start'] as const) replica.do(action)
      for (let round = 0; round < 60 && !world.complete; round += 1) await world.clock.advance(1_000)
      assert.deepEqual(world.violations, [])
      assert.ok(world.complete, 'every partition found an owner and was delivered')
    }),
    { numRuns: Number(process.env['STREAMBRIDGE_TEST_RUNS'] ?? 60) },
  )
})

test('replicas that come and go share the partitions evenly, and an idle bridge hardly writes', async () => {
  const world = new World(1, flat(7), 1_000_000)
  world.lossy = 0
  const replicas = [0, 1, 2].map((index) => new Replica(world, `replica-${index}`))
  const shares = (): string =>
    replicas
      .map((replica) => [...world.working].filter((work) => work.replica === replica).length)
      .sort((a, b) => b - a)
      .join()
  replicas[0]?.do('start')
  await world.clock.advance(3_000)
  assert.equal(shares(), '7,0,0')
  replicas[1]?.do('start')
  await world.clock.advance(6_000)
  assert.equal(shares(), '4,3,0')
  replicas[2]?.do('start')
  await world.clock.advance(6_000)
  assert.equal(shares(), '3,2,2')
  replicas[1]?.do('stop')
  await world.clock.advance(4_000)
  assert.equal(shares(), '4,3,0')
  replicas[0]?.do('pause')
  await world.clock.advance(8_000)
  assert.equal([...world.working].filter((work) => work.replica === replicas[2]).length, 7)
})

test('a replica that is stopped gives its partitions away at once, without waiting for the lease to expire', async () => {
  const world = new World(2, flat(2), 1_000_000)
  world.lossy = 0
  const [first, second] = [new Replica(world, 'replica-0'), new Replica(world, 'replica-1')]
  first.do('start')
  await world.clock.advance(500)
  second.do('start')
  await world.clock.advance(4_000)
  first.do('stop')
  await world.clock.advance(1_900)
  assert.equal([...world.working].filter((work) => work.replica === second).length, 2)
})

test('a replica that starts again under its name goes on at once', async () => {
  const world = new World(3, flat(2), 1_000_000)
  world.lossy = 0
  const replica = new Replica(world, 'replica-0')
  replica.do('start')
  await world.clock.advance(1_000)
  replica.do('kill')
  replica.do('start')
  await world.clock.advance(1_000)
  assert.equal([...world.working].filter((work) => work.replica === replica && !work.lost).length >= 2, true)
})

test('while the store is away every replica goes on with what it owns, and nobody is taken for dead when it is back', async () => {
  const world = new World(4, flat(6), 1_000_000)
  world.lossy = 0
  const replicas = [0, 1].map((index) => new Replica(world, `replica-${index}`))
  for (const replica of replicas) replica.do('start')
  await world.clock.advance(12_000)
  const before = [...world.working]
  assert.equal(before.length, 6)
  for (const replica of replicas) replica.do('cut')
  await world.clock.advance(60_000)
  for (const replica of replicas) replica.do('heal')
  await world.clock.advance(12_000)
  assert.deepEqual([...world.working], before)
  assert.deepEqual(
    before.filter(({ lost, stopped }) => lost || stopped),
    [],
  )
})
