/** A bridge as a person runs it: manifests in a file, `streambridge run -f` in a process of its own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runtimeReport, type RuntimeReport } from '../../crds/schema/report.ts'
import type { RuntimeOptions } from './runtime-process.ts'
import { awaitReady, type ServerProcess, startServer } from './server-process.ts'

export type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string }

/** What a person writes for a bridge and the Secrets it names. */
export function manifestsOf(
  name: string,
  { bridge, secrets = {} }: Pick<RuntimeOptions, 'bridge' | 'secrets'>,
): Manifest[] {
  const { source, sink, delivery } = bridge
  const objects = Object.entries(secrets).map(([secret, stringData]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret },
    stringData,
  }))
  const spec = { source, sink, ...(delivery === undefined ? {} : { delivery }) }
  return [...objects, { apiVersion: 'streambridge.dev/v1alpha1', kind: 'StreamBridge', metadata: { name }, spec }]
}

export interface RunningBridge {
  /** What it answers on /status. */
  report(): Promise<RuntimeReport>
  /** What it has written to standard output and standard error. */
  output(): string
  /** Ctrl-C. Resolves with how it ended. */
  stop(): Promise<number | NodeJS.Signals>
  /** SIGKILL. */
  kill(): Promise<void>
}

export interface RunBridgeOptions {
  readonly manifests: readonly Manifest[]
  /** Has the manifests, the positions and the log: give the next run the same one. */
  readonly directory: string
  readonly env?: NodeJS.ProcessEnv
}

const main = join(import.meta.dirname, '../../cli/main.ts')
let runs = 0

/** Starts it and waits until records can flow. */
export async function runBridge({ manifests, directory, env = {} }: RunBridgeOptions): Promise<RunningBridge> {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'bridge.yaml')
  writeFileSync(file, yamlOf(manifests))
  const server = await startServer({
    name: `run-${++runs}`,
    command: process.execPath,
    args: ['--no-warnings', main, 'run', '-f', file, '--state', join(directory, 'state')],
    directory,
    env: { PATH: process.env['PATH'], ...env },
  })
  const get = (path: string): Promise<Response> =>
    fetch(`${addressOf(server)}${path}`, { signal: AbortSignal.timeout(5_000) })
  await awaitReady(server, `the bridge of ${file}`, async () => (await get('/readyz')).ok)
  return {
    report: async () => runtimeReport.parse(await (await get('/status')).json()),
    output: () => readFileSync(server.logFile, 'utf8'),
    async stop() {
      server.signal('SIGINT')
      return server.exited()
    },
    async kill() {
      server.signal('SIGKILL')
      await server.exited()
    },
  }
}

/** JSON is YAML. */
export const yamlOf = (manifests: readonly Manifest[]): string =>
  manifests.map((manifest) => JSON.stringify(manifest, null, 2)).join('\n---\n')

/** It is in the line that says that it runs. */
function addressOf({ logFile }: ServerProcess): string {
  const found = /^running .*: (http:\S+)\/status,/m.exec(readFileSync(logFile, 'utf8'))
  if (found?.[1] === undefined) throw new Error('it does not run yet')
  return found[1]
}
