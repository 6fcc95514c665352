/** What the tests promise, by the part of the product they are about: to find the test of a behaviour in seconds. */
import { readdir, readFile } from 'node:fs/promises'

const folders = ['bridge-runtime', 'cli', 'crds', 'operator', 'test'] as const
/** The name of a test, in any of the three quotes; what is filled in at run time is an ellipsis. */
const named = /(?:^|\s)(?:test|holds)\(\s*(?:'((?:[^'\\]|\\.)+)'|"((?:[^"\\]|\\.)+)"|`((?:[^`\\]|\\.)+)`)/g

interface Promises {
  readonly file: string
  readonly names: readonly string[]
}

async function promisesIn(root: URL, file: string): Promise<Promises> {
  const text = await readFile(new URL(file, root), 'utf8')
  const names = [...text.matchAll(named)].map(([, single, double, template]) =>
    (single ?? double ?? template ?? '').replaceAll(/\$\{[^}]*\}/g, '…').replaceAll("\\'", "'"),
  )
  return { file, names }
}

/** The part of the product: two folders of the path, or three where a connector or a suite is meant. */
function areaOf(file: string): string {
  const parts = file.split('/').slice(0, -1)
  const deep = ['bridge-runtime/connectors', 'test/integration'].includes(parts.slice(0, 2).join('/'))
  return parts.slice(0, deep ? 3 : 2).join('/')
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

export async function promisesPage(root: URL): Promise<string> {
  const found = await Promise.all(
    folders.map((folder) =>
      readdir(new URL(`${folder}/`, root), { recursive: true }).then(
        (files) => files.map((file) => `${folder}/${file}`),
        () => [],
      ),
    ),
  )
  const files = found
    .flat()
    .filter((file) => /\.test\.ts$|^test\/conformance\/.*\.ts$/.test(file) && !file.includes('node_modules'))
    .sort()
  const all = (await Promise.all(files.map((file) => promisesIn(root, file)))).filter(({ names }) => names.length > 0)
  const areas = Map.groupBy(all, ({ file }) => areaOf(file))
  const sections = [...areas].map(([area, tests]) => {
    const rows = tests.flatMap(({ file, names }) =>
      names.map((name) => `| ${cell(name)} | [${file.slice(area.length + 1)}](../${file}) |`),
    )
    return [`## ${area}`, '', '| Promise | Test |', '|---|---|', ...rows].join('\n')
  })
  return `# Promises

What StreamBridge does, in the words of the tests that prove it. The rules of connectors, sinks and stages are in
[CONTRACT.md](../bridge-runtime/connectors/CONTRACT.md).

${sections.join('\n\n')}
`
}
