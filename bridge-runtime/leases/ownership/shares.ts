/** How many partitions a replica should own. */

/**
 * The fair share of `me`: partitions divided by replicas, the remainder to those who own most already (so that as few as
 * possible move), then by name. Every replica that sees the same gets the same answer.
 *
 * @param owned how many partitions each live replica owns now; replicas without any are in it with 0
 */
export function fairShare(me: string, partitions: number, owned: ReadonlyMap<string, number>): number {
  const ranked = [...owned].sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1)).map(([replica]) => replica)
  const rank = ranked.indexOf(me)
  if (rank < 0) return 0
  return Math.floor(partitions / ranked.length) + (rank < partitions % ranked.length ? 1 : 0)
}
