/** StreamBridge's runtime as it runs in a pod, in a process of its own. */
import { join } from 'node:path'
import { startRuntime } from '../support/runtime-process.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { type Contender, sinkTopic } from './pair.ts'

/** `nodeArgs`: flags for Node, for profiles. */
export function streamBridge(nodeArgs: readonly string[] = []): Contender {
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
        nodeArgs: ['--disable-sigusr1', ...nodeArgs],
        env: { NODE_ENV: 'production' },
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
