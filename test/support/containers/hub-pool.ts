/**
 * Event hubs of servers that can make none while they run, each handed out once. A server is started when a hub of its number of
 * partitions is wanted and none is left.
 */

/** As many as Microsoft's emulator takes in its one namespace (its documentation, "Usage quotas"). */
export const hubsPerServer = 10

export interface PooledHub {
  /** host:port of its server. */
  readonly endpoint: string
  readonly hub: string
}

export interface HubServer {
  readonly endpoint: string
  stop(): Promise<void>
}

/** Starts a server with these hubs, of so many partitions each. */
export type StartHubServer = (hubs: readonly string[], partitions: number) => Promise<HubServer>

export interface HubPool {
  /** *Errors*: those of the start; a server that could not be started is not tried again. */
  take(partitions: number): Promise<PooledHub>
  /** host:port of one of the servers. */
  some(): Promise<string>
  /** Starts a server with this one hub, and resolves with its host:port. */
  named(hub: string, partitions: number): Promise<string>
  /** Stops every server. */
  stop(): Promise<void>
}

/** What the hubs of one server are handed out from. */
interface Batch {
  readonly server: Promise<HubServer>
  taken: number
}

export function hubPool(start: StartHubServer): HubPool {
  const servers: Promise<HubServer>[] = []
  const current = new Map<number, Batch>()
  const hubs = Array.from({ length: hubsPerServer }, (_, index) => `hub-${index + 1}`)

  const startOne: StartHubServer = (names, partitions) => {
    const server = start(names, partitions)
    servers.push(server)
    return server
  }
  const batchOf = (partitions: number): Batch => {
    const last = current.get(partitions)
    if (last !== undefined && last.taken < hubs.length) return last
    const batch = { server: startOne(hubs, partitions), taken: 0 }
    current.set(partitions, batch)
    return batch
  }
  return {
    async take(partitions) {
      const batch = batchOf(partitions)
      const hub = hubs[batch.taken++] ?? ''
      const { endpoint } = await batch.server
      return { endpoint, hub }
    },
    some: async () => (await (servers[0] ?? batchOf(1).server)).endpoint,
    named: async (hub, partitions) => (await startOne([hub], partitions)).endpoint,
    async stop() {
      const outcomes = await Promise.allSettled(servers)
      await Promise.all(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.stop()] : [])))
    },
  }
}
