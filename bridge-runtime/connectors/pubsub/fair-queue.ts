/** Most of one key in a row: so many of them find room in one request of a sink that fills its requests by key. */
const turn = 8

/** What waits, in a queue for each key. The keys take turns, so that one with a great many items does not hold up the others. */
export class FairQueue<Item extends { readonly key: string }> {
  /** None of them is empty; the one whose turn it is comes first. */
  readonly #queues = new Map<string, Item[]>()
  #size = 0
  #left = turn

  get size(): number {
    return this.#size
  }

  add(item: Item): void {
    const queue = this.#queues.get(item.key)
    if (queue === undefined) this.#queues.set(item.key, [item])
    else queue.push(item)
    this.#size += 1
  }

  /** Takes the next item, if there is one and it is wanted. Items of a key come in the order in which they were added. */
  next(wanted: (item: Item) => boolean): Item | undefined {
    const [first] = this.#queues
    if (first === undefined) return undefined
    const [key, queue] = first
    const [item] = queue
    if (item === undefined || !wanted(item)) return undefined
    queue.shift()
    this.#size -= 1
    this.#left -= 1
    if (queue.length > 0 && this.#left > 0) return item
    this.#left = turn
    this.#queues.delete(key)
    if (queue.length > 0) this.#queues.set(key, queue)
    return item
  }

  /** Takes out what is `unwanted`, which is asked about the items of a key in their order. */
  remove(unwanted: (item: Item) => boolean): Item[] {
    const removed: Item[] = []
    for (const [key, queue] of this.#queues) {
      const kept: Item[] = []
      for (const item of queue) (unwanted(item) ? removed : kept).push(item)
      if (kept.length > 0) this.#queues.set(key, kept)
      else this.#queues.delete(key)
    }
    this.#size -= removed.length
    return removed
  }
}
