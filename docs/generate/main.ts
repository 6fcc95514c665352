/**
 * Writes everything that is generated: `node docs/generate/main.ts`. With `--check` it writes nothing and fails where a
 * file differs.
 */
import { staleFiles, writeFiles } from '../../crds/generate/files.ts'
import { allGeneratedFiles } from './files.ts'

const root = new URL('../../', import.meta.url)
const files = await allGeneratedFiles(root)

if (process.argv.includes('--check')) {
  const stale = await staleFiles(files, root)
  for (const path of stale) process.stderr.write(`${path} is stale: run \`npm run generate\`\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  await writeFiles(files, root)
}
