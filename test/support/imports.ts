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
  /** What it takes; undefined: everything, as `*` and `import('...')` do. */
  readonly names?: readonly string[] | undefined
}

export interface Module {
  /** Path from the root of the project. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

const statement = /^(import|export)\s+(type\s+)?(?:([^'"]*?)\sfrom\s+)?'([^']+)'/gm
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
  const direct = [...text.matchAll(statement)].map(([, , type, names = '', target = '']) => ({
    target: resolve(target),
    typeOnly: type !== undefined,
    lazy: false,
    names: namesIn(names),
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

/** The names in `{ type A, b as c }`: `A`, `b`. */
const namesIn = (clause: string): readonly string[] | undefined =>
  clause.includes('*')
    ? undefined
    : [...clause.matchAll(/(?:^|[{,])\s*(?:type\s+)?([\w$]+)/g)].map(([, name = '']) => name)

const exported = /^export\s+(?:async\s+)?(?:const|let|class|function\*?)\s+([\w$]+)/gm
const comment = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm

/** Values that a module exports and that nothing among the modules uses, itself included: `path: name`. */
export function unusedExports(modules: readonly Module[]): readonly string[] {
  const taken = (path: string, name: string): boolean =>
    modules.some(({ imports }) =>
      imports.some(({ target, names }) => target === path && (names === undefined || names.includes(name))),
    )
  return modules.flatMap(({ path, text }) => {
    const code = text.replace(comment, '')
    return [...code.matchAll(exported)]
      .map(([, name = '']) => name)
      .filter(
        (name) => code.split(new RegExp(`(?<![\\w$])${name.replaceAll('$', String.raw`\$`)}(?![\\w$])`)).length === 2,
      )
      .filter((name) => !taken(path, name))
      .map((name) => `${path}: ${name}`)
  })
}

/** What each node imports, among the nodes. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** The modules; types count as much as values: whoever reads one module has to know the other. */
export function moduleGraph(modules: readonly Module[]): Graph {
  const paths = new Set(modules.map(({ path }) => path))
  return new Map(
    modules.map(({ path, imports }) => [
      path,
      new Set(imports.map(({ target }) => target).filter((to) => paths.has(to))),
    ]),
  )
}

/** What stands directly in the folder (`''` is the root), folders and files, with all imports of the modules beneath. */
export function folderGraph(modules: Graph, folder: string): Graph {
  const prefix = folder === '' ? '' : `${folder}/`
  const childOf = (path: string): string | undefined =>
    path.startsWith(prefix) ? path.slice(prefix.length).split('/')[0] : undefined
  const graph = new Map<string, Set<string>>()
  for (const [path, targets] of modules) {
    const child = childOf(path)
    if (child === undefined) continue
    const others = [...targets].flatMap((target) => childOf(target) ?? []).filter((other) => other !== child)
    graph.set(child, new Set([...(graph.get(child) ?? []), ...others]))
  }
  return graph
}

/** All folders that hold one of the paths, the root among them. */
export function foldersOf(paths: Iterable<string>): readonly string[] {
  const folders = new Set<string>([''])
  for (const path of paths)
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder)
  return [...folders].toSorted()
}

/** The nodes that are reached from the node, itself only by way of a circle. */
function reachedFrom(graph: Graph, node: string): ReadonlySet<string> {
  const reached = new Set<string>()
  const next = [...(graph.get(node) ?? [])]
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    if (reached.has(one)) continue
    reached.add(one)
    next.push(...(graph.get(one) ?? []))
  }
  return reached
}

/** Groups of nodes of which each reaches every other: the largest circles. Each in alphabetical order. */
export function circlesIn(graph: Graph): readonly (readonly string[])[] {
  const reached = new Map([...graph.keys()].map((node) => [node, reachedFrom(graph, node)]))
  const circles = new Map<string, readonly string[]>()
  for (const [node, others] of reached) {
    if (!others.has(node)) continue
    const circle = [...others].filter((other) => reached.get(other)?.has(node)).toSorted()
    circles.set(circle.join(' '), circle)
  }
  return [...circles.values()]
}
