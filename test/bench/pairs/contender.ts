/** The two contenders of a pair, each in a process of its own and asked in the same way what it has written. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Direction } from '../../chaos/direction.ts'
import type { Broker } from '../../support/ends/brokers.ts'
import { startRuntime } from '../../support/runtime-process.ts'
import { awaitReady, startServer, temporaryDirectory } from '../../support/server-process.ts'
import { sharedEventHubs, sharedKafka, sharedKinesis, sharedPubsub } from '../../support/shared-servers.ts'
import type { NaiveOrder } from '../naive/loop.ts'
import { nodeFlags } from '../stream-bridge.ts'

export interface Running {
  readonly pid: number
  readonly logFile: string
  running(): boolean
  /** Records it has written. */
  written(): Promise<number>
  stop(): Promise<void>
}

export interface Task {
  readonly from: Broker
  readonly to: Broker
  readonly direction: Direction
  /** More flags for Node. */
  readonly nodeArgs?: readonly string[]
}

export type StartContender = (task: Task) => Promise<Running>

async function written(url: string): Promise<number> {
  const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(10_000) })
  return ((await response.json()) as { readonly totals: { readonly out: number } }).totals.out
}

/** With the flags of the image, and the defaults of a manifest. */
export const startOurs: StartContender = async ({ direction, nodeArgs = [] }) => {
  const runtime = await startRuntime({
    bridge: { name: direction.from.stream, source: direction.from.source, sink: direction.to.sink },
    secrets: { ...direction.from.secrets, ...direction.to.secrets },
    leases: join(temporaryDirectory('bench'), 'leases'),
    ready: false,
    nodeArgs: [...nodeFlags, ...nodeArgs],
    env: { NODE_ENV: 'production' },
  })
  return {
    pid: runtime.pid,
    logFile: runtime.logFile,
    running: () => runtime.running(),
    written: () => written(runtime.url),
    stop: async () => void (await runtime.stop()),
  }
}

const addresses: Record<Broker, () => Promise<string>> = {
  kafka: sharedKafka,
  kinesis: async () => (await sharedKinesis()).endpoint,
  pubsub: sharedPubsub,
  eventHubs: async () => (await sharedEventHubs()).endpoint,
}

export const startNaive: StartContender = async ({ from, to, direction, nodeArgs = [] }) => {
  const directory = temporaryDirectory('naive')
  const checkpoints = join(directory, 'checkpoints')
  mkdirSync(checkpoints)
  const order: NaiveOrder = {
    from: { broker: from, address: await addresses[from](), stream: direction.from.stream, checkpoints },
    to: { broker: to, address: await addresses[to](), stream: direction.to.stream },
  }
  const server = await startServer({
    name: 'naive',
    command: process.execPath,
    args: [...nodeArgs, join(import.meta.dirname, '../naive/main.ts'), JSON.stringify(order)],
    directory,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
  })
  let port: string | undefined
  await awaitReady(server, 'the naive loop', async () => {
    port = /^port ([0-9]+)$/m.exec(readFileSync(server.logFile, 'utf8'))?.[1]
    return port !== undefined
  })
  return {
    pid: server.pid,
    logFile: server.logFile,
    running: () => server.running(),
    written: () => written(`http://127.0.0.1:${port}`),
    stop: () => server.stop(),
  }
}
