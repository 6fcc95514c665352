/**
 * Shares partitions among the members of a consumer group: evenly, and with as few moves as possible. Cooperative: a
 * partition that moves is given to nobody in this round; its owner lets it go, joins again, and then it is free.
 */
import { nameOf, type TopicPartition } from '../protocol/topic-partition.ts'

export interface GroupMember {
  readonly id: string
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  /** In which generation it came to own them: of two that claim one partition, the later is right. */
  readonly generation: number
}

/** `counts`: partitions by topic. Returns what each member may work on from now on. */
export function assign(
  members: readonly GroupMember[],
  counts: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1))
  const owners = ownersOf(sorted, counts)
  const target = balance(sorted, counts, owners)
  return new Map(
    [...target].map(([id, partitions]) => [id, partitions.filter((one) => (owners.get(nameOf(one)) ?? id) === id)]),
  )
}

/** Who works on each partition now, by its name. */
function ownersOf(members: readonly GroupMember[], counts: ReadonlyMap<string, number>): Map<string, string> {
  const owners = new Map<string, string>()
  for (const member of [...members].sort((a, b) => a.generation - b.generation)) {
    for (const one of member.owned) {
      if (one.partition < (counts.get(one.topic) ?? 0)) owners.set(nameOf(one), member.id)
    }
  }
  return owners
}

/** Where each partition should be in the end. */
function balance(
  members: readonly GroupMember[],
  counts: ReadonlyMap<string, number>,
  owners: ReadonlyMap<string, string>,
): Map<string, TopicPartition[]> {
  const target = new Map(members.map(({ id }) => [id, [] as TopicPartition[]]))
  const all = [...counts].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  )
  const homeless: TopicPartition[] = []
  const quotas = quotasOf(members, all.length, owners)
  for (const one of all) {
    const owner = members.find(({ id }) => id === owners.get(nameOf(one)))
    const mine = owner && target.get(owner.id)
    if (owner && mine && owner.topics.includes(one.topic) && mine.length < (quotas.get(owner.id) ?? 0)) mine.push(one)
    else homeless.push(one)
  }
  for (const one of homeless) {
    const [next] = members
      .filter(({ topics }) => topics.includes(one.topic))
      .map(({ id }) => target.get(id) ?? [])
      .sort((a, b) => a.length - b.length)
    next?.push(one)
  }
  return target
}

/** Everyone gets the floor of the average; the rest goes to those who own most already, so that nothing moves in vain. */
function quotasOf(members: readonly GroupMember[], total: number, owners: ReadonlyMap<string, string>) {
  const held = (id: string): number => [...owners.values()].filter((owner) => owner === id).length
  const floor = Math.floor(total / members.length)
  const extra = total % members.length
  const byHeld = members.map(({ id }) => ({ id, held: held(id) })).sort((a, b) => b.held - a.held)
  return new Map(byHeld.map(({ id }, rank) => [id, rank < extra ? floor + 1 : floor]))
}
