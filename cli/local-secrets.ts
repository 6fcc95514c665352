import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Manifest } from './manifests.ts'

const textMap = (value: unknown): readonly (readonly [string, string])[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).map(([key, text]) => [key, String(text)] as const)
    : []

/**
 * Writes the Secrets of the manifests as files, `<directory>/<secret>/<key>`, as a cluster mounts them: readable by this
 * user only, gone when disposed.
 */
export async function mountSecrets(
  manifests: readonly Manifest[],
): Promise<AsyncDisposable & { readonly directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'streambridge-secrets-'))
  for (const { object } of manifests.filter((manifest) => manifest.object['kind'] === 'Secret')) {
    const name = String((object['metadata'] as { readonly name?: unknown } | undefined)?.name)
    await mkdir(join(directory, name), { mode: 0o700 })
    const values = [
      ...textMap(object['data']).map(([key, encoded]) => [key, Buffer.from(encoded, 'base64')] as const),
      ...textMap(object['stringData']),
    ]
    for (const [key, value] of values) await writeFile(join(directory, name, key), value, { mode: 0o600 })
  }
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}
