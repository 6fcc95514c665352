/** A copy of the product with toys in it, as somebody adds them: a folder, and a line in a catalogue. */
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const shipped = ['bridge-runtime', 'charts', 'cli', 'crds', 'docs', 'operator', 'package.json'] as const

export interface Toy {
  /** Its folder in `test/toys`: `steps/keep-matching`. */
  readonly folder: string
  /** What it exports, and its name in the catalogue. */
  readonly name: string
}

interface Catalogue {
  /** Where its folders and its `catalog.ts` are. */
  readonly home: string
  /** The line the toy's is added to. */
  readonly list: RegExp
}

const catalogues: Readonly<Record<string, Catalogue>> = {
  steps: { home: 'bridge-runtime/steps', list: /(export const steps\b.* = \{)/ },
  connectors: { home: 'bridge-runtime/connectors', list: /(export const catalog = \{)/ },
  stores: { home: 'bridge-runtime/lease-stores', list: /(export const stores\b.* = \{)/ },
}

/** @returns the folder of the copy */
export async function withToys(t: TestContext, toys: readonly Toy[]): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'toys-'))
  t.after(() => rm(copy, { recursive: true }))
  await Promise.all(shipped.map((name) => cp(join(root, name), join(copy, name), { recursive: true })))
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const toy of toys) await add(copy, toy)
  return copy
}

async function add(copy: string, { folder, name }: Toy): Promise<void> {
  const [kind = ''] = folder.split('/')
  const catalogue = catalogues[kind]
  if (catalogue === undefined) throw new TypeError(`no catalogue of ${kind}`)
  const entry = folder.slice(kind.length + 1)
  const home = join(copy, catalogue.home, entry)
  await cp(join(root, 'test/toys', folder), home, { recursive: true })
  // As an editor does when a folder is moved.
  for (const file of await readdir(home)) {
    const text = await readFile(join(home, file), 'utf8')
    const moved = text.replaceAll(
      /'(?:\.\.\/)+(bridge-runtime|crds)\//g,
      (_, top: string) => `'${relative(home, join(copy, top))}/`,
    )
    await writeFile(join(home, file), moved)
  }
  const path = join(copy, catalogue.home, 'catalog.ts')
  const text = await readFile(path, 'utf8')
  await writeFile(path, `import { ${name} } from './${entry}/index.ts'\n${text.replace(catalogue.list, `$1 ${name},`)}`)
}
