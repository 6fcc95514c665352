import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import type { Reporter } from './test-reporter.ts'

const root = join(import.meta.dirname, '../..')
/** Milliseconds after which a test file is taken for stuck. */
const stuck = 15 * 60_000

/** Runs test files, each in a process of its own that has this one's environment. @param files from the root */
export async function runFiles(files: readonly string[], reporter: Reporter): Promise<void> {
  const paths = files.map((file) => join(root, file))
  await reporter.follow(run({ files: paths, concurrency: availableParallelism(), timeout: stuck }))
}
