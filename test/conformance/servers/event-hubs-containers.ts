import { microsoftConnectionString } from '../../support/event-hubs.ts'
import { hubPool } from '../../support/containers/hub-pool.ts'
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.ts'
import type { Namespaces } from './namespaces.ts'
import { interrupt } from './proxied.ts'

const fixedHubs = 'Microsoft’s emulator makes its hubs when it starts, and none again while it runs'
const fixedKey = 'Microsoft’s emulator has one key, and does not say whether it checks it'

/**
 * Microsoft's emulator in containers. It makes its hubs when it starts, none while it runs; so a hub is taken from a pool and the suite
 * chooses neither its name nor its server. A target is a proxy, which leads to the server of the hub that was last made for it: each test
 * has one stream, hence a target of its own.
 */
export function eventHubsContainers(): Namespaces {
  const hubs = new Map<string, string>()
  /** Streams that configurations name before they are there: their hubs must have their names. */
  const missed = new Set<string>()
  const proxies = new Map<string, TcpProxy>()
  const pool = hubPool(async (names, partitions) => {
    const { startEventHubsContainer } = await import('../../support/containers/event-hubs.ts')
    return startEventHubsContainer(names, partitions)
  })
  const open = async (): Promise<TcpProxy> => {
    const proxy = await startTcpProxy(await pool.some())
    proxies.set(proxy.address, proxy)
    return proxy
  }
  const make = async (stream: string, partitions: number): Promise<string> => {
    if (missed.has(stream)) return pool.named(stream, partitions)
    const { endpoint, hub } = await pool.take(partitions)
    hubs.set(stream, hub)
    return endpoint
  }
  return {
    exceptions: { S12: fixedKey, K10: fixedKey, S14: fixedHubs },
    target: async () => (await open()).address,
    async createHub(target, stream, partitions) {
      const endpoint = await make(stream, partitions)
      proxies.get(target)?.retarget(endpoint)
      // What is connected already is so to a server without the hub.
      proxies.get(target)?.reset()
    },
    hubOf(stream) {
      const hub = hubs.get(stream)
      if (hub === undefined) missed.add(stream)
      return hub ?? stream
    },
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
