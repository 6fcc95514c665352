import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from './manifests.ts'
import { isSecret, secretData } from './secret-data.ts'

/**
 * Writes the Secrets of the manifests as files, `<folder>/<secret>/<key>`, as a cluster mounts them: readable by this
 * user only. *Errors*: ManifestError for a Secret that a cluster would refuse.
 */
export async function mountSecrets(manifests: readonly Manifest[], folder: string): Promise<void> {
  for (const { name, data } of manifests.filter(isSecret).map(secretData)) {
    await mkdir(join(folder, name), { mode: 0o700, recursive: true })
    for (const [key, value] of data) await writeFile(join(folder, name, key), value, { mode: 0o600 })
  }
}
