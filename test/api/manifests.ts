/** The manifests beside this file. Those that are invalid begin with what is said about them: `# path: message`. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export interface Manifest {
  readonly name: string
  readonly file: string
  readonly object: Readonly<Record<string, unknown>>
  readonly expected: readonly string[]
}

export function manifests(folder: 'valid' | 'invalid'): readonly Manifest[] {
  const directory = new URL(`${folder}/`, import.meta.url)
  return readdirSync(directory)
    .toSorted()
    .map((name) => {
      const file = fileURLToPath(new URL(name, directory))
      const text = readFileSync(file, 'utf8')
      const expected = [...text.matchAll(/^# (.*)$/gm)].map(([, line]) => line ?? '')
      return { name: name.replace('.yaml', ''), file, object: parse(text) as Manifest['object'], expected }
    })
}
