/** Reads which module imports which, from the sources' text. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

export interface Import {
  /** Path from the root of the project, or the name of a package. */
  readonly target: string
  /** True when it is erased before the program runs. */
  readonly typeOnly: boolean
  /** True for `import('...')`: loaded when it is reached. */
  readonly lazy: boolean
}

export interface Module {
  /** Path from the root of the project. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

const statement = /^(import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm
const call = /\bimport\('([^']+)'\)/g

/** All modules below the folders, in the order of their paths. */
export function modulesOf(root: string, folders: readonly string[]): readonly Module[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .toSorted()
      .map((path) => moduleOf(path, readFileSync(join(root, path), 'utf8'))),
  )
}

function moduleOf(path: string, text: string): Module {
  const resolve = (target: string): string =>
    target.startsWith('.') ? normalize(join(dirname(path), target)) : packageName(target)
  const direct = [...text.matchAll(statement)].map(([, , type, target = '']) => ({
    target: resolve(target),
    typeOnly: type !== undefined,
    lazy: false,
  }))
  const lazy = [...text.matchAll(call)].map(([, target = '']) => ({
    target: resolve(target),
    typeOnly: false,
    lazy: true,
  }))
  return { path, text, imports: [...direct, ...lazy] }
}

/** `@aws-sdk/client-kinesis/x` → `@aws-sdk/client-kinesis`; modules of Node keep their whole name. */
const packageName = (target: string): string =>
  target.startsWith('node:') ? target : target.split('/', target.startsWith('@') ? 2 : 1).join('/')

/** One circle of modules in which each imports the next when it is loaded; undefined when there is none. */
export function findCycle(modules: readonly Module[]): readonly string[] | undefined {
  const importsOf = new Map(modules.map(({ path, imports }) => [path, imports]))
  const finished = new Set<string>()
  const visit = (path: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (finished.has(path)) return undefined
    for (const { target, typeOnly } of importsOf.get(path) ?? []) {
      const cycle = typeOnly ? undefined : visit(target, [...trail, path])
      if (cycle !== undefined) return cycle
    }
    finished.add(path)
    return undefined
  }
  for (const { path } of modules) {
    const cycle = visit(path, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
