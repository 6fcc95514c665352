import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assign, type GroupMember } from './assignor.ts'
import { nameOf, type TopicPartition } from '../protocol/topic-partition.ts'

const topics = ['a', 'b']

interface Case {
  readonly members: readonly GroupMember[]
  readonly counts: ReadonlyMap<string, number>
}

/** Members that own some of the partitions; `extra` claims make conflicts of different generations. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    count: fc.integer({ min: 1, max: 6 }),
    partitions: fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 5 })),
    owners: fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 17, maxLength: 17 }),
    claims: fc.array(fc.tuple(fc.nat(5), fc.nat(16)), { maxLength: 4 }),
  })
  .map(({ count, partitions, owners, claims }) => {
    const counts = new Map(topics.map((topic, index) => [topic, partitions[index] ?? 0]))
    const all = [...counts].flatMap(([topic, n]) => Array.from({ length: n }, (_, partition) => ({ topic, partition })))
    const members = Array.from({ length: count }, (_, id) => {
      const owned = all.filter((_one, index) => owners[index] === id)
      const extra = claims.flatMap(([who, index]) => (who === id ? (all[index] ?? []) : []))
      return { id: `m${id}`, topics, owned: [...owned, ...extra], generation: id }
    })
    return { members, counts }
  })

/** Follows the protocol until nothing moves: whoever must let go joins again without it. */
function settle({ members, counts }: Case): { rounds: TopicPartition[][][]; members: readonly GroupMember[] } {
  let current = members
  const rounds: TopicPartition[][][] = []
  for (let generation = 100; generation < 110; generation++) {
    const assigned = assign(current, counts)
    rounds.push(current.map(({ id }) => assigned.get(id) ?? []))
    const next = current.map((member) => ({ ...member, owned: assigned.get(member.id) ?? [], generation }))
    const same = next.every((member, index) => sameSet(member.owned, current[index]?.owned ?? []))
    current = next
    if (same) return { rounds, members: current }
  }
  throw new Error('never settles')
}

const sameSet = (a: readonly TopicPartition[], b: readonly TopicPartition[]): boolean =>
  a.length === b.length && a.every((one) => b.some((other) => nameOf(one) === nameOf(other)))

test('no partition ever has two owners, in no round', () => {
  fc.assert(
    fc.property(cases, (given) => {
      for (const round of settle(given).rounds) {
        const names = round.flat().map(nameOf)
        assert.equal(new Set(names).size, names.length)
      }
    }),
  )
})

test('nobody is given a partition in the round in which another still owns it', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const assigned = assign(given.members, given.counts)
      for (const { id } of given.members) {
        for (const one of assigned.get(id) ?? []) {
          const others = given.members.filter(
            (other) => other.id !== id && other.owned.some((own) => nameOf(own) === nameOf(one)),
          )
          const mine = given.members.find((member) => member.id === id)
          for (const other of others) {
            const stale = mine?.owned.some((own) => nameOf(own) === nameOf(one)) && mine.generation > other.generation
            assert.ok(stale, `${nameOf(one)} taken from ${other.id} by ${id}`)
          }
        }
      }
    }),
  )
})

test('in the end every partition has an owner and nobody has two more than another', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const { members } = settle(given)
      const sizes = members.map(({ owned }) => owned.length)
      const total = [...given.counts.values()].reduce((sum, count) => sum + count, 0)
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        total,
      )
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join())
    }),
  )
})

test('an even distribution stays as it is', () => {
  const counts = new Map([['a', 4]])
  const own = (id: string, ...partitions: number[]): GroupMember => ({
    id,
    topics: ['a'],
    owned: partitions.map((partition) => ({ topic: 'a', partition })),
    generation: 3,
  })
  const members = [own('x', 1, 3), own('y', 0, 2)]
  const assigned = assign(members, counts)
  for (const { id, owned } of members) assert.ok(sameSet(assigned.get(id) ?? [], owned))
})

test('a topic goes only to members that read it', () => {
  const members = [
    { id: 'x', topics: ['a'], owned: [], generation: 1 },
    { id: 'y', topics: ['a', 'b'], owned: [], generation: 1 },
  ]
  const assigned = assign(members, new Map([['b', 3]]))
  assert.equal(assigned.get('x')?.length, 0)
  assert.equal(assigned.get('y')?.length, 3)
})
