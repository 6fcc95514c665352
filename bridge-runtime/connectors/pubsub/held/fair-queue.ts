/** Most of one key in a row: so many of them find room in one request of a sink that fills its requests by key. */
const turn = 8
/**
 * A key rests when this much of it is on its way, and goes on at half of it. The service takes 1 MB/s of a key, so a sink that
 * answers within 60 milliseconds is kept busy by it; more would only take the room of the other keys.
 * Source: https://cloud.google.com/pubsub/quotas (publish throughput per ordering key).
 */
const most = { items: 64, bytes: 64 * 1024 }

interface Line<Item> {
  items: Item[]
  /** Taken and not settled. */
  out: number
  outBytes: number
  resting: boolean
}

/** What waits, in a queue for each key. The keys take turns, so that one with a great many items does not hold up the others. */
export class FairQueue<Item extends { readonly key: string; readonly bytes: number }> {
  readonly #lines = new Map<string, Line<Item>>()
  /** Those with items that do not rest; the one whose turn it is comes first. */
  readonly #turns = new Set<Line<Item>>()
  #size = 0
  #left = turn

  /** Items that wait, those of resting keys too. */
  get size(): number {
    return this.#size
  }

  /** True when there is a next item. */
  get ready(): boolean {
    return this.#turns.size > 0
  }

  add(item: Item): void {
    let line = this.#lines.get(item.key)
    if (line === undefined) {
      line = { items: [], out: 0, outBytes: 0, resting: false }
      this.#lines.set(item.key, line)
    }
    line.items.push(item)
    this.#size += 1
    if (!line.resting) this.#turns.add(line)
  }

  /** Takes the next item, if there is one and it is wanted. Items of a key come in the order in which they were added. */
  next(wanted: (item: Item) => boolean): Item | undefined {
    const [line] = this.#turns
    const item = line?.items[0]
    if (line === undefined || item === undefined || !wanted(item)) return undefined
    line.items.shift()
    this.#size -= 1
    line.out += 1
    line.outBytes += item.bytes
    line.resting = item.key !== '' && holds(line, 1)
    this.#left -= 1
    const goesOn = line.items.length > 0 && !line.resting
    if (goesOn && this.#left > 0) return item
    this.#left = turn
    this.#turns.delete(line)
    if (goesOn) this.#turns.add(line)
    return item
  }

  /** An item that was taken is done with: its key may go on. */
  settled({ key, bytes }: Item): void {
    const line = this.#lines.get(key)
    if (line === undefined) return
    line.out -= 1
    line.outBytes -= bytes
    if (line.resting && !holds(line, 0.5)) {
      line.resting = false
      if (line.items.length > 0) this.#turns.add(line)
    }
    this.#forgetIdle(key, line)
  }

  /** Takes out what is `unwanted`, which is asked about the items of a key in their order. */
  remove(unwanted: (item: Item) => boolean): Item[] {
    const removed: Item[] = []
    for (const [key, line] of this.#lines) {
      const kept: Item[] = []
      for (const item of line.items) (unwanted(item) ? removed : kept).push(item)
      line.items = kept
      if (kept.length === 0) this.#turns.delete(line)
      this.#forgetIdle(key, line)
    }
    this.#size -= removed.length
    return removed
  }

  #forgetIdle(key: string, line: Line<Item>): void {
    if (line.items.length === 0 && line.out === 0) this.#lines.delete(key)
  }
}

const holds = ({ out, outBytes }: Line<unknown>, share: number): boolean =>
  out >= most.items * share && outBytes >= most.bytes * share
