import { type EventHubsAdmin, eventHubsConnectionString, startEventHubs } from '../../support/event-hubs.ts'
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts'
import { sharedEventHubs } from '../../support/shared-servers.ts'
import type { Namespaces } from './namespaces.ts'

/** The project's own emulator: it makes hubs when asked, and has an admin API. */
export function eventHubsProcesses(): Namespaces {
  /** Of the servers that are not the shared one, by the endpoint that leads to them. */
  const admins = new Map<string, EventHubsAdmin>()
  return {
    exceptions: {},
    target: async () => (await sharedEventHubs()).endpoint,
    async createHub(target, stream, partitions) {
      const admin = admins.get(target) ?? (await sharedEventHubs()).admin
      await admin.createHub(stream, partitions)
    },
    async recreateHub(target, stream, partitions) {
      const admin = admins.get(target) ?? (await sharedEventHubs()).admin
      await admin.deleteHub(stream)
      await admin.createHub(stream, partitions)
    },
    hubOf: (stream) => stream,
    connectionString: eventHubsConnectionString,
    async refusing(stream, key) {
      const server = await startEventHubs({ hubs: { [stream]: 1 }, durable: false, args: ['--key', 'test=right'] })
      return {
        target: server.endpoint,
        connectionString: eventHubsConnectionString(server.endpoint, undefined, key),
        stop: () => server.stop(),
      }
    },
    async interruption() {
      const server = await startEventHubs()
      const proxy = await startTcpProxy(server.endpoint)
      admins.set(proxy.address, server.admin)
      return {
        target: proxy.address,
        async interrupt() {
          proxy.fault({ refuse: true })
          proxy.reset()
          await new Promise((resolve) => setTimeout(resolve, 500))
          await server.restart()
          proxy.fault()
        },
        stop: async () => {
          await proxy.stop()
          await server.stop()
        },
      }
    },
    stop: () => Promise.resolve(),
  }
}
