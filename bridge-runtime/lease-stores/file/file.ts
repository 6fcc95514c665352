/**
 * Leases as files, for several processes on one machine: no locks, so a process that is killed or stopped at any moment
 * holds nobody up.
 *
 * A partition is a folder; each version of its lease is a file named by its number. A writer makes the next number
 * appear with link(2), which is atomic and fails when somebody else was first. Old versions are then removed.
 */
import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BridgeError, fenced } from '../../core/errors.ts'
import { fieldsOf, leaseFields, leaseWith } from '../lease-fields.ts'
import type { Lease, LeaseStore } from '../lease-store.ts'
import { unowned } from '../memory.ts'

const stored = leaseFields.extend({
  /** A tombstone: its number keeps a late writer of the removed lease out. */
  removed: z.boolean(),
})
type Stored = z.output<typeof stored>

interface Version {
  readonly number: number
  /** Undefined when it cannot be read. */
  readonly content: Stored | undefined
}

/** Of a partition's folder. */
const prefix = 'p-'
const partitionOf = (name: string): string => decodeURIComponent(name.slice(prefix.length))

/** Versions kept behind the newest: a reader that listed the folder a moment ago still finds the file it chose. */
const kept = 2
const abandonedAfter = 60_000

const isMissing = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')
const isPresent = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST'

const unavailable = (directory: string, thrown: unknown): BridgeError =>
  new BridgeError(`lease directory ${directory}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
    kind: 'retryable',
    reason: 'LeaseStoreUnavailable',
    cause: thrown,
  })

async function numbersIn(folder: string): Promise<number[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

async function newest(folder: string): Promise<Version | undefined> {
  for (;;) {
    const number = (await numbersIn(folder).catch(missingIsEmpty)).at(-1)
    if (number === undefined) return undefined
    try {
      return { number, content: readable(await readFile(join(folder, String(number)), 'utf8')) }
    } catch (thrown) {
      // Overtaken by newer versions between the two reads: look again.
      if (!isMissing(thrown)) throw thrown
    }
  }
}

function readable(text: string): Stored | undefined {
  try {
    return stored.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function missingIsEmpty(thrown: unknown): number[] {
  if (isMissing(thrown)) return []
  throw thrown
}

/** Makes version `number` appear, whole; false when that number, or a greater one, is there already. */
async function publish(folder: string, number: number, content: Stored): Promise<boolean> {
  const draft = join(folder, `draft-${randomUUID()}`)
  const target = join(folder, String(number))
  await mkdir(folder, { recursive: true })
  await writeFile(draft, JSON.stringify(content))
  try {
    await link(draft, target)
  } catch (thrown) {
    if (isPresent(thrown)) return false
    throw thrown
  } finally {
    await unlink(draft)
  }
  // A number that was used and cleaned up can be linked again by a writer that slept meanwhile; a greater one tells.
  if ((await numbersIn(folder)).at(-1) === number) return true
  await rm(target, { force: true })
  return false
}

async function clean(folder: string, number: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const obsolete = /^[0-9]+$/.test(name) ? Number(name) < number - kept : await isAbandoned(path)
    if (obsolete) await rm(path, { force: true })
  }
}

/** A draft of a process that was killed. */
async function isAbandoned(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > abandonedAfter
}

/** Of one that cannot be read the number is known, which no epoch exceeds. */
const broken = (partition: string, folder: string, number: number): Lease => ({
  ...unowned(partition),
  epoch: number,
  renewals: number,
  unreadable: `${join(folder, String(number))} is damaged`,
  version: String(number),
})

/** Undefined where there is none, or it was removed. */
function leaseOf(partition: string, folder: string, version: Version | undefined): Lease | undefined {
  if (version === undefined || version.content?.removed === true) return undefined
  const { number, content } = version
  return content === undefined ? broken(partition, folder, number) : leaseWith(content, String(number))
}

const toStored = (lease: Omit<Lease, 'version'>, removed: boolean): Stored => ({ ...fieldsOf(lease), removed })

/**
 * *Guarantees*: as `LeaseStore`, over all processes that name the same directory; holds through SIGKILL and SIGSTOP at any
 * moment (not through a power cut: nothing is flushed). *Assumptions*: a local file system with hard links.
 */
export function fileLeases(directory: string): LeaseStore {
  const folderOf = (partition: string): string => join(directory, prefix + encodeURIComponent(partition))

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      throw thrown instanceof BridgeError ? thrown : unavailable(directory, thrown)
    }
  }

  const write = (lease: Lease, change: Partial<Lease>, removed = false): Promise<Lease> =>
    guarded(async () => {
      const folder = folderOf(lease.partition)
      const current = await newest(folder)
      if (current === undefined || String(current.number) !== lease.version) throw fenced(lease.partition)
      const next = { ...lease, ...change, renewals: lease.renewals + 1 }
      const number = current.number + 1
      if (!(await publish(folder, number, toStored(next, removed)))) throw fenced(lease.partition)
      await clean(folder, number)
      return { ...next, version: String(number) }
    })

  async function create(partition: string): Promise<Lease> {
    const folder = folderOf(partition)
    for (;;) {
      const current = await newest(folder)
      const found = leaseOf(partition, folder, current)
      if (found !== undefined) return found
      const fresh = { ...unowned(partition), epoch: current?.content?.epoch ?? 0 }
      const number = (current?.number ?? 0) + 1
      if (await publish(folder, number, toStored(fresh, false))) return { ...fresh, version: String(number) }
    }
  }

  async function list(): Promise<readonly Lease[]> {
    const folders = await readdir(directory).catch((thrown: unknown) => {
      if (isMissing(thrown)) return []
      throw thrown
    })
    const leases = await Promise.all(folders.filter((name) => name.startsWith(prefix)).map(leaseIn))
    return leases.filter((lease) => lease !== undefined)
  }

  async function leaseIn(name: string): Promise<Lease | undefined> {
    const folder = join(directory, name)
    return leaseOf(partitionOf(name), folder, await newest(folder))
  }

  return {
    list: () => guarded(list),
    create: (partition) => guarded(() => create(partition)),
    acquire: (lease, owner) => write(lease, { owner, epoch: lease.epoch + 1 }),
    renew: (lease) => write(lease, {}),
    checkpoint: (lease, checkpoint) => write(lease, { checkpoint }),
    release: (lease) => write(lease, { owner: undefined }),
    remove: async (lease) => void (await write(lease, { owner: undefined }, true)),
  }
}
