/** A toy lease store: all leases of a bridge in one file, for one process. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { fenced } from '../../../../bridge-runtime/core/errors.ts'
import type { Lease, LeaseStore } from '../../../../bridge-runtime/lease-stores/lease-store.ts'
import { defineStore } from '../../../../bridge-runtime/lease-stores/define-store.ts'

type Leases = Readonly<Record<string, Lease>>

function openOneFile(path: string): LeaseStore {
  let turn: Promise<unknown> = Promise.resolve()
  const read = async (): Promise<Leases> => JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Leases
  const store = async (leases: Leases): Promise<void> => {
    await writeFile(`${path}.new`, JSON.stringify(leases))
    await rename(`${path}.new`, path)
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }
  const change = (lease: Lease, changed: Partial<Lease>): Promise<Lease> =>
    inTurn(async () => {
      const leases = await read()
      const known = leases[lease.partition]
      if (known === undefined || known.version !== lease.version) throw fenced(lease.partition)
      const next: Lease = {
        ...known,
        ...changed,
        renewals: known.renewals + 1,
        version: String(Number(known.version) + 1),
      }
      await store({ ...leases, [lease.partition]: next })
      return next
    })
  return {
    list: () => inTurn(async () => Object.values(await read())),
    create: (partition) =>
      inTurn(async () => {
        const leases = await read()
        const lease = leases[partition] ?? {
          partition,
          owner: undefined,
          epoch: 0,
          renewals: 0,
          checkpoint: { position: undefined, ended: false },
          version: '1',
        }
        await store({ ...leases, [partition]: lease })
        return lease
      }),
    acquire: (lease, owner) => change(lease, { owner, epoch: lease.epoch + 1 }),
    renew: (lease) => change(lease, {}),
    checkpoint: (lease, checkpoint) => change(lease, { checkpoint }),
    release: (lease) => change(lease, { owner: undefined }),
    remove: (lease) =>
      inTurn(async () => {
        const { [lease.partition]: gone, ...rest } = await read()
        if (gone !== undefined) await store(rest)
      }),
  }
}

export const oneFile = defineStore({
  name: 'oneFile',
  schema: z.object({ path: z.string().min(1) }),
  open: ({ path }) => Promise.resolve(openOneFile(path)),
})
