import { microsoftConnectionString } from '../../support/event-hubs.ts'
import { hubPool } from '../../support/containers/hub-pool.ts'
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.ts'
import type { Namespaces } from './namespaces.ts'
import { interrupt } from './proxied.ts'

const fixedHubs = 'Microsoft’s emulator makes its event hubs when it starts, none while it runs'
const fixedKey = 'Microsoft’s emulator has one key, and does not say whether it checks it'

/** Leads nowhere. */
const nowhere = '127.0.0.1:9'

/**
 * Microsoft's emulator in containers. A hub is taken from a pool, so the suite cannot choose its name or its server: a target is a
 * proxy that leads to the server of the hub that was last taken for it. Each test has one stream, hence a target of its own.
 */
export function eventHubsContainers(): Namespaces {
  const hubs = new Map<string, string>()
  const proxies = new Map<string, TcpProxy>()
  const pool = hubPool(async (names, partitions) => {
    const { startEventHubsContainer } = await import('../../support/containers/event-hubs.ts')
    return startEventHubsContainer(names, partitions)
  })
  const open = async (): Promise<TcpProxy> => {
    const proxy = await startTcpProxy(nowhere)
    proxies.set(proxy.address, proxy)
    return proxy
  }
  return {
    exceptions: { S10: fixedHubs, S12: fixedKey, K8: fixedHubs, K10: fixedKey },
    target: async () => (await open()).address,
    async createHub(target, stream, partitions) {
      const { endpoint, hub } = await pool.take(partitions)
      hubs.set(stream, hub)
      proxies.get(target)?.retarget(endpoint)
    },
    hubOf: (stream) => hubs.get(stream) ?? stream,
    connectionString: microsoftConnectionString,
    async interruption() {
      const proxy = await open()
      return { target: proxy.address, interrupt: () => interrupt(proxy), stop: () => proxy.stop() }
    },
    async stop() {
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()))
      await pool.stop()
    },
  }
}
