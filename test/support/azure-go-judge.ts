/** A program that uses the Go SDK of Event Hubs (`go/azeventhubs`): a judge that shares no line with this project. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { runCommand } from './run-command.ts'

const module = join(import.meta.dirname, 'go/azeventhubs')

/**
 * The path of the program: built once on a machine for each version of it, without network after that.
 * *Errors*: MissingTool with what to install where there is no Go.
 */
export async function azureGoJudge(): Promise<string> {
  const identity = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', 'main.go']) identity.update(readFileSync(join(module, file)))
  const directory = await cached(`azeventhubs-${identity.digest('hex').slice(0, 12)}`, build)
  return join(directory, 'judge')
}

async function build(directory: string): Promise<void> {
  const args = ['build', '-mod=readonly', '-buildvcs=false', '-trimpath', '-o', join(directory, 'judge'), '.']
  await runCommand('go', args, {
    cwd: module,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
    install: 'install Go 1.26 (https://go.dev/dl)',
  })
}
