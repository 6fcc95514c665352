import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { kind } from '../crds/schema/streambridge.ts'
import { parseYaml, YamlFault } from './yaml.ts'

export interface Manifest {
  /** File it stands in. */
  readonly file: string
  /** Number of the document in the file, from 1. */
  readonly document: number
  readonly object: Readonly<Record<string, unknown>>
}

/** Records and what must become of them, beside a manifest: `streambridge test` reads it. */
export const isTestFile = (name: string): boolean => /\.test\.ya?ml$/.test(name)

export const isStreamBridge = ({ object }: Manifest): boolean => object['kind'] === kind

/** A file that cannot be read as manifests; the message names file and place, and quotes nothing: it may be a Secret. */
export class ManifestError extends Error {}

async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new ManifestError(`${path}: no such file or directory`)
  if (!found.isDirectory()) return [path]
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name) && !isTestFile(name)).sort()
  if (names.length === 0) throw new ManifestError(`${path}: no .yaml, .yml or .json file in it`)
  return names.map((name) => join(path, name))
}

function objectsOf(file: string, text: string): readonly Manifest[] {
  return valuesOf(file, text).flatMap((object, index) => {
    if (object === null || object === undefined) return []
    if (typeof object !== 'object' || Array.isArray(object))
      throw new ManifestError(`${file}: document ${index + 1} is no object`)
    return [{ file, document: index + 1, object: object as Readonly<Record<string, unknown>> }]
  })
}

function valuesOf(file: string, text: string): readonly unknown[] {
  try {
    return parseYaml(text)
  } catch (thrown) {
    if (thrown instanceof YamlFault) throw new ManifestError(`${file}: ${thrown.message}`)
    throw thrown
  }
}

/** Reads manifests as `kubectl apply -f` does: a file, or every YAML and JSON file of a directory. */
export async function readManifests(path: string): Promise<readonly Manifest[]> {
  const files = await filesOf(path)
  const texts = await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const))
  return texts.flatMap(([file, text]) => objectsOf(file, text))
}
