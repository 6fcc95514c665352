/** Runs the loader and waits for its end. */
import { join } from 'node:path'
import { startServer, temporaryDirectory } from '../support/server-process.ts'
import type { Order } from './loader.ts'

/** Rejects when the loader fails. */
export async function load(order: Order): Promise<void> {
  const loader = await startServer({
    name: 'loader',
    command: process.execPath,
    args: [join(import.meta.dirname, 'loader.ts'), JSON.stringify(order)],
    directory: temporaryDirectory('loader'),
  })
  const code = await loader.exited()
  if (code !== 0) throw new Error(`the loader ended with ${code}; see ${loader.logFile}`)
}
