/** One replica of a bridge as it runs in a pod: `cli/main.ts bridge` in a process of its own. */
import { readFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { bridgeFile } from '../../crds/schema/bridge-file.ts'
import { runtimeReport, type RuntimeReport } from '../../crds/schema/report.ts'
import { awaitReady, type ServerProcess, startServer, temporaryDirectory } from './server-process.ts'

type BridgeInput = z.input<typeof bridgeFile>

export interface RuntimeOptions {
  /** The bridge file; namespace `test`, uid and log level are filled in. */
  readonly bridge: Pick<BridgeInput, 'name' | 'source' | 'sink'> & Partial<BridgeInput>
  /** Secret name → key → value, mounted as files. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Folder of the leases, shared by the bridge's replicas. */
  readonly leases: string
  /** Default: `replica-0`. */
  readonly replica?: string
  readonly env?: NodeJS.ProcessEnv
  /** Waits for /readyz. Default true. */
  readonly ready?: boolean
  /** Flags for Node itself. */
  readonly nodeArgs?: readonly string[]
}

export interface RuntimeProcess {
  readonly pid: number
  readonly url: string
  readonly logFile: string
  /** What it answers on /status. */
  report(): Promise<RuntimeReport>
  ready(): Promise<boolean>
  /** The most memory it ever held, in bytes; undefined where the system does not tell. */
  peakMemory(): number | undefined
  running(): boolean
  signal(signal: NodeJS.Signals): void
  exited(): Promise<number | NodeJS.Signals>
  /** SIGTERM, then SIGKILL after the grace (default 30 s). Resolves with how it ended. */
  stop(grace?: number): Promise<number | NodeJS.Signals>
  /** SIGKILL. */
  kill(): Promise<void>
}

const main = join(import.meta.dirname, '../../cli/main.ts')

/** Starts it and waits until records can flow. */
export async function startRuntime(options: RuntimeOptions): Promise<RuntimeProcess> {
  const { secrets = {}, leases, replica = 'replica-0' } = options
  const directory = temporaryDirectory('bridge')
  const file = bridgeFile.parse({
    namespace: 'test',
    uid: 'test-uid',
    delivery: {},
    logLevel: 'info',
    leases: { file: { directory: leases } },
    ...options.bridge,
  })
  writeFileSync(join(directory, 'bridge.json'), JSON.stringify(file))
  for (const [name, data] of Object.entries(secrets)) {
    mkdirSync(join(directory, 'secrets', name), { recursive: true })
    for (const [key, value] of Object.entries(data)) writeFileSync(join(directory, 'secrets', name, key), value)
  }
  mkdirSync(leases, { recursive: true })
  const args = ['bridge', '--config', join(directory, 'bridge.json'), '--secrets', join(directory, 'secrets')]
  const server = await startServer({
    name: replica,
    command: process.execPath,
    args: [...(options.nodeArgs ?? []), main, ...args, '--port', '0', '--replica', replica],
    directory,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...options.env },
  })
  let port: number | undefined
  await awaitReady(server, `bridge ${file.name}`, () => Promise.resolve((port = startedPort(server)) !== undefined))
  const runtime = runtimeProcess(server, `http://127.0.0.1:${port}`)
  if (options.ready !== false) await awaitReady(server, `bridge ${file.name}`, () => runtime.ready())
  return runtime
}

function runtimeProcess(server: ServerProcess, url: string): RuntimeProcess {
  const get = (path: string): Promise<Response> => fetch(`${url}${path}`, { signal: AbortSignal.timeout(5_000) })
  return {
    pid: server.pid,
    url,
    logFile: server.logFile,
    report: async () => runtimeReport.parse(await (await get('/status')).json()),
    ready: async () => (await get('/readyz')).ok,
    peakMemory: () => peakMemory(server.pid),
    running: () => server.running(),
    signal: (signal) => server.signal(signal),
    exited: () => server.exited(),
    async stop(grace = 30_000) {
      await server.stop(grace)
      return server.exited()
    },
    async kill() {
      server.signal('SIGKILL')
      await server.exited()
    },
  }
}

/** The port is in the line that says that it started. */
function startedPort({ logFile }: ServerProcess): number | undefined {
  const found = /"message":"started".*?"port":([0-9]+)/.exec(readFileSync(logFile, 'utf8'))
  return found?.[1] === undefined ? undefined : Number(found[1])
}

function peakMemory(pid: number): number | undefined {
  try {
    const found = /^VmHWM:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return found?.[1] === undefined ? undefined : Number(found[1]) * 1024
  } catch {
    return undefined
  }
}
