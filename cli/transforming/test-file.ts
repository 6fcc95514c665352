/** `*.test.yaml`: records that go in, and what must become of them. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { ManifestError } from '../manifests.ts'
import { parseYaml, YamlFault } from '../yaml.ts'

const record = z.record(z.string(), z.unknown())

const example = z.strictObject({
  name: z.string().min(1),
  input: z.array(record).min(1),
  /** In order. Only the fields that stand here are compared. */
  output: z.array(record).default([]),
  /** Records that are dropped on purpose. */
  filtered: z.int().min(0).default(0),
  /** Records that cannot go on, in order. */
  poison: z
    .array(z.strictObject({ reason: z.string(), step: z.string().optional(), path: z.string().optional() }))
    .default([]),
})

export const examples = z.array(example).min(1)

const testFile = z.strictObject({
  /** Beside this file. Default: `orders.yaml` for `orders.test.yaml`. */
  manifest: z.string().optional(),
  /** Which StreamBridge, when there are several. */
  bridge: z.string().optional(),
  tests: examples,
})

export type Example = z.output<typeof example>

export interface TestFile {
  readonly manifest: string
  readonly bridge: string | undefined
  readonly tests: readonly Example[]
}

/** *Errors*: ManifestError that names the file and the field. */
export async function readTestFile(path: string): Promise<TestFile> {
  const { data, error } = testFile.safeParse(documentOf(path, await readFile(path, 'utf8')))
  if (error !== undefined) {
    const [issue] = error.issues
    throw new ManifestError(`${path}: ${issue?.path.join('.')}: ${issue?.message}`)
  }
  const manifest = data.manifest ?? basename(path).replace(/\.test(\.ya?ml)$/, '$1')
  return { manifest: join(dirname(path), manifest), bridge: data.bridge, tests: data.tests }
}

function documentOf(path: string, text: string): unknown {
  try {
    return parseYaml(text)[0]
  } catch (thrown) {
    if (thrown instanceof YamlFault) throw new ManifestError(`${path}: ${thrown.message}`)
    throw thrown
  }
}
