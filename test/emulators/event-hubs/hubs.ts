/** The event hubs of the emulator, with their partitions, consumer groups and readers; in a folder if there is one. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { condition, noSuchEntity, Refused } from './conditions.ts'
import type { Claim } from './epochs.ts'
import { Journal } from './journal.ts'
import { PartitionLog, type Retention } from './partition-log.ts'
import { Throttle, type Throughput } from './throttle.ts'

export const hubSpec = z.object({
  name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,255}$/, 'must be letters, digits, ".", "-" and "_"'),
  partitions: z.int().min(1).max(1024),
  consumerGroups: z.array(z.string().min(1)).default([]),
})

export type HubSpec = z.input<typeof hubSpec>

const defaultGroup = '$default'

/** What a hub's readers are known by, and how one is told to go. */
export interface AttachedReader extends Claim {
  detach(condition: string, description: string): void
}

export interface Hub {
  readonly name: string
  readonly createdAt: number
  /** In lower case. */
  readonly groups: Set<string>
  readonly partitions: PartitionLog[]
  readonly throttle: Throttle
  /** Readers by `group/partition`. */
  readonly readers: Map<string, AttachedReader[]>
  /** Counts the batches that named no partition and no key: they go round. */
  turn: number
}

export interface HubsOptions {
  readonly now: () => number
  /** Undefined keeps everything in memory. */
  readonly folder?: string | undefined
  readonly fsync: boolean
  readonly retention: Retention
  readonly throughput: Throughput
}

const stored = z.object({ name: z.string(), createdAt: z.number(), groups: z.array(z.string()), partitions: z.int() })

export class Hubs {
  readonly #options: HubsOptions
  readonly #hubs = new Map<string, Hub>()

  /** Opens what the folder holds. */
  constructor(options: HubsOptions) {
    this.#options = options
    const { folder } = options
    if (folder === undefined) return
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) {
      const file = join(folder, name, 'hub.json')
      if (!existsSync(file)) continue
      const { partitions, ...hub } = stored.parse(JSON.parse(readFileSync(file, 'utf8')))
      this.#open(hub, partitions)
    }
  }

  list(): Hub[] {
    return [...this.#hubs.values()]
  }

  /** Throws Refused when there is none. */
  get(name: string): Hub {
    const hub = this.#hubs.get(name.toLowerCase())
    if (hub === undefined) throw noSuchEntity(`sb://localhost/${name}`)
    return hub
  }

  /** Throws Refused when the hub has no such partition. */
  partition(hub: Hub, id: string): PartitionLog {
    const log = /^\d+$/.test(id) ? hub.partitions[Number(id)] : undefined
    if (log !== undefined) return log
    const range = `0-${hub.partitions.length - 1}`
    throw new Refused(
      condition.argumentOutOfRange,
      `The specified partition is invalid for an EventHub partition sender or receiver. It should be between 0 and ${hub.partitions.length - 1}. Event hub "${hub.name}", partition "${id}", has ${range}.`,
    )
  }

  /** Makes it, or adds the partitions and groups it lacks. Partitions are never taken away: fewer are an error. */
  ensure(input: HubSpec): Hub {
    const { name, partitions, consumerGroups } = hubSpec.parse(input)
    const hub =
      this.#hubs.get(name.toLowerCase()) ??
      this.#open({ name, createdAt: this.#options.now(), groups: [defaultGroup] }, partitions)
    if (hub.partitions.length > partitions)
      throw new Error(
        `event hub "${name}" has ${hub.partitions.length} partitions already; it cannot have ${partitions}`,
      )
    for (const group of consumerGroups) hub.groups.add(group.toLowerCase())
    while (hub.partitions.length < partitions) hub.partitions.push(this.#log(name, hub.partitions.length))
    this.#save(hub)
    return hub
  }

  /** Removes it with all events; its readers are detached. Throws Refused when there is none. */
  delete(name: string): void {
    const hub = this.get(name)
    this.#hubs.delete(hub.name.toLowerCase())
    for (const reader of [...hub.readers.values()].flat())
      reader.detach(condition.notFound, `Event hub "${name}" was deleted.`)
    this.#close(hub)
    if (this.#options.folder !== undefined) rmSync(this.#folder(this.#options.folder, name), { recursive: true })
  }

  close(): void {
    for (const hub of this.#hubs.values()) this.#close(hub)
  }

  #close({ partitions }: Hub): void {
    for (const log of partitions) log.close()
  }

  #open({ name, createdAt, groups }: { name: string; createdAt: number; groups: string[] }, partitions: number): Hub {
    const { folder, throughput, now } = this.#options
    if (folder !== undefined) mkdirSync(this.#folder(folder, name), { recursive: true })
    const hub: Hub = {
      name,
      createdAt,
      groups: new Set(groups),
      partitions: Array.from({ length: partitions }, (_, id) => this.#log(name, id)),
      throttle: new Throttle(throughput, now()),
      readers: new Map(),
      turn: 0,
    }
    this.#hubs.set(name.toLowerCase(), hub)
    return hub
  }

  #folder(folder: string, name: string): string {
    return join(folder, name.toLowerCase())
  }

  #log(name: string, id: number): PartitionLog {
    const { now, retention, folder, fsync } = this.#options
    const journal = folder === undefined ? undefined : new Journal(join(this.#folder(folder, name), `${id}.log`), fsync)
    return new PartitionLog({ now, retention, journal })
  }

  #save(hub: Hub): void {
    const { folder } = this.#options
    if (folder === undefined) return
    const file = join(this.#folder(folder, hub.name), 'hub.json')
    const { name, createdAt, groups, partitions } = hub
    writeFileSync(
      `${file}.new`,
      JSON.stringify({ name, createdAt, groups: [...groups], partitions: partitions.length }),
    )
    renameSync(`${file}.new`, file)
  }
}
