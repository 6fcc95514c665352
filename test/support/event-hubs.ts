/** An Event Hubs namespace as a local process: `test/emulators/event-hubs`. */
import { join } from 'node:path'
import type { z } from 'zod'
import type { LinkReport } from '../emulators/event-hubs/client.ts'
import type { disturbance as disturbanceSpec, HubReport, StoredMessage } from '../emulators/event-hubs/admin.ts'
import type { Fault, FaultSpec } from '../emulators/event-hubs/faults.ts'
import {
  awaitReady,
  freePorts,
  removeDirectory,
  type ServerProcess,
  startServer,
  temporaryDirectory,
} from './server-process.ts'

export interface EventHubsOptions {
  /** Hub → partitions. More can be made through the admin API. */
  readonly hubs?: Readonly<Record<string, number>>
  /** Of every hub, beside `$Default`. */
  readonly consumerGroups?: readonly string[]
  /** Where clients reach it. Default 127.0.0.1; it then listens there only, otherwise at every address. */
  readonly host?: string
  /** Keeps events in files, so that they outlive a stop or a kill. Default true. */
  readonly durable?: boolean
  /** Further options of the command. */
  readonly args?: readonly string[]
}

/** What can be asked of a running emulator. Rejects with the emulator's own words. */
export interface EventHubsAdmin {
  createHub(name: string, partitions: number, consumerGroups?: readonly string[]): Promise<HubReport>
  deleteHub(name: string): Promise<void>
  hub(name: string): Promise<HubReport>
  /** Stored messages from a sequence number on (default: the first), at most `count` (default 100). */
  dump(hub: string, partition: string, range?: { from?: number; count?: number }): Promise<StoredMessage[]>
  /** Drops what comes before the sequence number. */
  trim(hub: string, partition: string, sequenceNumber: number): Promise<void>
  connections(): Promise<{ readonly peer: string; readonly links: readonly LinkReport[] }[]>
  /** Does it now, to the connections (for `detach`: the links) in scope; resolves with how many. */
  disturb(disturbance: z.input<typeof disturbanceSpec>): Promise<number>
  addFault(fault: FaultSpec): Promise<Fault>
  faults(): Promise<Fault[]>
  clearFaults(): Promise<void>
  /** Replaces the shared access keys: name → key. */
  setKeys(keys: Readonly<Record<string, string>>): Promise<void>
}

export interface EventHubsServer extends AsyncDisposable {
  readonly port: number
  /** host:port. */
  readonly endpoint: string
  readonly admin: EventHubsAdmin
  readonly adminUrl: string
  readonly logFile: string
  connectionString(hub?: string): string
  /** SIGTERM; the folder is removed. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again at the same port, stopping it if it still runs; it has its events if it is durable. */
  restart(): Promise<void>
  pause(): void
  resume(): void
}

const main = join(import.meta.dirname, '../emulators/event-hubs/main.ts')

/** @param url of the admin API */
export function eventHubsAdmin(url: string): EventHubsAdmin {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as T & { error?: string }
    if (!response.ok) throw new Error(`Event Hubs emulator, ${method} ${path}: ${answer.error}`)
    return answer
  }
  return {
    createHub: (name, partitions, consumerGroups = []) => call('PUT', `/hubs/${name}`, { partitions, consumerGroups }),
    deleteHub: (name) => call('DELETE', `/hubs/${name}`),
    hub: (name) => call('GET', `/hubs/${name}`),
    dump: (hub, partition, { from, count = 100 } = {}) =>
      call('GET', `/hubs/${hub}/partitions/${partition}?count=${count}${from === undefined ? '' : `&from=${from}`}`),
    trim: (hub, partition, sequenceNumber) =>
      call('POST', `/hubs/${hub}/partitions/${partition}/trim`, { sequenceNumber }),
    connections: () => call('GET', '/connections'),
    disturb: async (disturbance) =>
      (await call<{ disturbed: number }>('POST', '/connections/disturb', disturbance)).disturbed,
    addFault: (fault) => call('POST', '/faults', fault),
    faults: () => call('GET', '/faults'),
    clearFaults: () => call('DELETE', '/faults'),
    setKeys: (keys) => call('PUT', '/keys', keys),
  }
}

function commandLine({ hubs = {}, consumerGroups = [], args = [], host }: EventHubsOptions): string[] {
  return [
    ...Object.entries(hubs).flatMap(([name, partitions]) => ['--hub', `${name}:${partitions}`]),
    ...consumerGroups.flatMap((group) => ['--consumer-group', group]),
    ...(host === undefined ? [] : ['--host', '0.0.0.0']),
    ...args,
  ]
}

/** @param key of the policy */
export const eventHubsConnectionString = (endpoint: string, hub?: string, key = 'test-key', policy = 'test'): string =>
  `Endpoint=sb://${endpoint};SharedAccessKeyName=${policy};SharedAccessKey=${key};UseDevelopmentEmulator=true` +
  (hub === undefined ? '' : `;EntityPath=${hub}`)

/** For Microsoft's emulator: it has this policy and this key. */
export const microsoftConnectionString = (endpoint: string, hub?: string): string =>
  eventHubsConnectionString(endpoint, hub, 'SAS_KEY_VALUE', 'RootManageSharedAccessKey')

/** Starts it and waits until it answers. */
export async function startEventHubs(options: EventHubsOptions = {}): Promise<EventHubsServer> {
  const directory = temporaryDirectory('event-hubs')
  const [port = 0, adminPort = 0] = await freePorts(2)
  const url = `http://127.0.0.1:${adminPort}`
  const storage = options.durable === false ? [] : ['--data', join(directory, 'data')]
  const start = async (): Promise<ServerProcess> => {
    const server = await startServer({
      name: 'event-hubs',
      command: process.execPath,
      args: [main, '--port', String(port), '--admin-port', String(adminPort), ...storage, ...commandLine(options)],
      directory,
    })
    await awaitReady(server, 'Event Hubs emulator', async () => (await fetch(`${url}/healthz`)).ok)
    return server
  }
  let server = await start()
  const endpoint = `${options.host ?? '127.0.0.1'}:${port}`
  const stop = async (): Promise<void> => {
    await server.stop(5_000)
    removeDirectory(directory)
  }
  return {
    port,
    endpoint,
    admin: eventHubsAdmin(url),
    adminUrl: url,
    logFile: server.logFile,
    connectionString: (hub) => eventHubsConnectionString(endpoint, hub),
    stop,
    async kill() {
      server.signal('SIGKILL')
      await server.exited()
    },
    async restart() {
      await server.stop(5_000)
      server = await start()
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}
