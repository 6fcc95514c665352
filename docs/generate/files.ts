import { generatedFiles, notice } from '../../crds/generate/files.ts'
import { metricsPage } from './metrics.ts'
import { onTheWayPages } from './on-the-way.ts'
import { promisesPage } from './promises.ts'

/** Path from the root of the project → content, of every generated file. */
export async function allGeneratedFiles(root: URL): Promise<ReadonlyMap<string, string>> {
  const page = (text: string): string => `<!-- ${notice} -->\n${text}`
  return new Map([
    ...generatedFiles(),
    ...onTheWayPages().map(([path, text]) => [path, page(text)] as const),
    ['docs/reference/metrics.md', page(metricsPage())],
    ['docs/promises.md', page(await promisesPage(root))],
  ])
}
