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
  /** Stops every server. */
  stop(): Promise<void>
}

interface Batch {
  readonly server: Promise<HubServer>
  taken: number
}

export function hubPool(start: StartHubServer): HubPool {
  const batches: Batch[] = []
  const current = new Map<number, Batch>()
  const hubs = Array.from({ length: hubsPerServer }, (_, index) => `hub-${index + 1}`)

  const open = (partitions: number): Batch => {
    const batch = { server: start(hubs, partitions), taken: 0 }
    batches.push(batch)
    current.set(partitions, batch)
    return batch
  }
  return {
    async take(partitions) {
      const last = current.get(partitions)
      const batch = last === undefined || last.taken === hubs.length ? open(partitions) : last
      const hub = hubs[batch.taken++] ?? ''
      const { endpoint } = await batch.server
      return { endpoint, hub }
    },
    async stop() {
      const outcomes = await Promise.allSettled(batches.map(({ server }) => server))
      await Promise.all(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.stop()] : [])))
    },
  }
}
