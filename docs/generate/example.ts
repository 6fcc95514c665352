/** An example of a page: part of a spec, and records that show what it does. */
import { z } from 'zod'
import { examples } from '../../cli/transforming/test-file.ts'
import { parseYaml } from '../../cli/yaml.ts'

const schema = z.strictObject({
  title: z.string(),
  text: z.string().optional(),
  spec: z.record(z.string(), z.unknown()),
  tests: examples,
})

export type DocumentedExample = z.output<typeof schema>

/** Throws where the file is no example. */
export function readExample(text: string, path: string): DocumentedExample {
  const { data, error } = schema.safeParse(parseYaml(text)[0])
  if (data === undefined) throw new TypeError(`${path}: ${error.message}`)
  return data
}
