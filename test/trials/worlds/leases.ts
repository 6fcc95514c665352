import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Deletes the leases of every partition, and leaves what the bridge remembers. */
export async function loseLeases({ leases }: { readonly leases: string }): Promise<void> {
  for (const name of await readdir(leases))
    if (!decodeURIComponent(name).startsWith('p-~')) await rm(join(leases, name), { recursive: true })
}
