/** StreamBridge's runtime in a process of its own, as the image runs it: same flags, compiled before. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../support/run-command.ts'
import { startRuntime } from '../support/runtime-process.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { type Contender, sinkTopic } from './pair.ts'

const root = join(import.meta.dirname, '../..')
/** The Dockerfile's. */
export const nodeFlags = ['--disable-sigusr1', '--expose-gc', '--max-semi-space-size=4']

export async function streamBridge(): Promise<Contender> {
  const cache = await compiled()
  const contender: Contender = {
    name: 'StreamBridge',
    alias: 'streambridge',
    async start({ bootstrapServers, source }) {
      const servers = bootstrapServers.split(',')
      const runtime = await startRuntime({
        bridge: {
          name: source,
          source: { kafka: { bootstrapServers: servers, topics: [source] } },
          sink: { kafka: { bootstrapServers: servers, topic: sinkTopic(contender, source) } },
        },
        leases: join(temporaryDirectory('bench'), 'leases'),
        ready: false,
        nodeArgs: nodeFlags,
        env: { ...cache, NODE_ENV: 'production' },
      })
      return {
        pid: runtime.pid,
        logFile: runtime.logFile,
        running: () => runtime.running(),
        stop: async () => void (await runtime.stop()),
      }
    },
  }
  return contender
}

/** The environment with what the image's build compiles: without it every start would strip types and parse again. */
async function compiled(): Promise<{ readonly NODE_COMPILE_CACHE: string }> {
  const environment = { NODE_COMPILE_CACHE: join(temporaryDirectory('bench'), 'compile-cache') }
  const modules = globSync(['cli/commands/bridge.ts', 'bridge-runtime/connectors/kafka/{source,sink}.ts'], {
    cwd: root,
  })
  const code = modules.map((module) => `await import(${JSON.stringify(join(root, module))})`).join('\n')
  await runCommand(process.execPath, [...nodeFlags, '--input-type=module', '--eval', code], {
    env: { PATH: process.env['PATH'], ...environment },
  })
  return environment
}
