/** The admin API: JSON over HTTP, for tests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Client } from './client.ts'
import { Refused } from './conditions.ts'
import { faultSpec, type Faults, inScope, scope } from './faults.ts'
import type { Hub, Hubs } from './hubs.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Keys } from './sas.ts'

export interface AdminContext {
  readonly hubs: Hubs
  readonly faults: Faults
  readonly clients: ReadonlySet<Client>
  setKeys(keys: Keys): void
}

export interface AdminServer {
  readonly port: number
  close(): Promise<void>
}

interface Call {
  /** The variable parts of the path. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly body: unknown
}

type Action = (call: Call, context: AdminContext) => unknown

const partitions = z.object({ partitions: z.int().min(1), consumerGroups: z.array(z.string()).default([]) })
const amount = z.object({ sequenceNumber: z.int().min(0) })
const jump = z.object({ by: z.int().min(1) })
const keys = z.record(z.string(), z.string())

/** Faults that can happen to a connection, or a link, at any time. */
export const disturbance = scope.extend({
  do: z.enum(['closeSocket', 'rstSocket', 'blackhole', 'slow', 'closeConnection', 'detach']),
  condition: z.string().default('amqp:connection:forced'),
  description: z.string().default('injected fault'),
  bytesPerSecond: z.int().min(1).default(1_000),
})

export interface PartitionReport {
  readonly firstSequenceNumber: number
  readonly nextSequenceNumber: number
  readonly lastOffset: string | null
  readonly events: number
  readonly bytes: number
}

export interface HubReport {
  readonly name: string
  readonly consumerGroups: readonly string[]
  readonly partitions: readonly PartitionReport[]
}

export interface StoredMessage {
  readonly sequenceNumber: number
  readonly offset: string
  readonly enqueuedTime: number
  readonly partitionKey?: string
  /** The encoded AMQP message as it was sent, in Base64. */
  readonly message: string
}

const partitionReport = (log: PartitionLog): PartitionReport => ({
  firstSequenceNumber: log.firstSequenceNumber,
  nextSequenceNumber: log.nextSequenceNumber,
  lastOffset: log.last === undefined ? null : String(log.last.offset),
  ...log.retained,
})

const hubReport = ({ name, groups, partitions }: Hub): HubReport => ({
  name,
  consumerGroups: [...groups],
  partitions: partitions.map(partitionReport),
})

function logOf(path: readonly string[], { hubs }: AdminContext): PartitionLog {
  const [hub = '', partition = ''] = path
  return hubs.partition(hubs.get(hub), partition)
}

function dump({ path, query }: Call, context: AdminContext): unknown {
  const log = logOf(path, context)
  const from = Number(query.get('from') ?? log.firstSequenceNumber)
  return log.read(from, Number(query.get('count') ?? 100)).map(({ bytes, offset, ...event }) => ({
    ...event,
    offset: String(offset),
    message: bytes.toString('base64'),
  }))
}

function disturb({ body }: Call, { clients }: AdminContext): unknown {
  const order = disturbance.parse(body)
  const unscoped = Object.values(scope.parse(order)).every((value) => value === undefined)
  let count = 0
  for (const client of clients) {
    const links = [...client.links].filter((link) => inScope(order, link.scope))
    if (order.do === 'detach') {
      for (const link of links) link.detach(order.condition, order.description)
      count += links.length
    } else if (unscoped || links.length > 0) {
      client.disturb(order)
      count += 1
    }
  }
  return { disturbed: count }
}

const routes: readonly (readonly [method: string, path: RegExp, action: Action])[] = [
  ['GET', /^\/healthz$/, () => ({ ok: true })],
  ['GET', /^\/hubs$/, (_, { hubs }) => hubs.list().map(hubReport)],
  ['GET', /^\/hubs\/([^/]+)$/, ({ path: [name = ''] }, { hubs }) => hubReport(hubs.get(name))],
  [
    'PUT',
    /^\/hubs\/([^/]+)$/,
    ({ path: [name = ''], body }, { hubs }) => hubReport(hubs.ensure({ name, ...partitions.parse(body) })),
  ],
  ['DELETE', /^\/hubs\/([^/]+)$/, ({ path: [name = ''] }, { hubs }) => hubs.delete(name)],
  ['GET', /^\/hubs\/([^/]+)\/partitions\/(\d+)$/, dump],
  [
    'POST',
    /^\/hubs\/([^/]+)\/partitions\/(\d+)\/trim$/,
    ({ path, body }, context) => logOf(path, context).trim(amount.parse(body).sequenceNumber),
  ],
  [
    'POST',
    /^\/hubs\/([^/]+)\/partitions\/(\d+)\/jump$/,
    ({ path, body }, context) => logOf(path, context).jump(jump.parse(body).by),
  ],
  [
    'GET',
    /^\/connections$/,
    (_, { clients }) =>
      [...clients].map(({ peer, links }) => ({ peer, links: [...links].map((link) => link.report()) })),
  ],
  ['POST', /^\/connections\/disturb$/, disturb],
  ['GET', /^\/faults$/, (_, { faults }) => faults.list()],
  ['POST', /^\/faults$/, ({ body }, { faults }) => faults.add(faultSpec.parse(body))],
  ['DELETE', /^\/faults$/, (_, { faults }) => faults.clear()],
  ['DELETE', /^\/faults\/(\d+)$/, ({ path: [id] }, { faults }) => faults.clear(Number(id))],
  ['PUT', /^\/keys$/, ({ body }, context) => context.setKeys(new Map(Object.entries(keys.parse(body))))],
]

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return text === '' ? {} : JSON.parse(text)
}

function failure(error: unknown): readonly [status: number, message: string] {
  if (error instanceof Refused) return [404, error.message]
  if (error instanceof z.ZodError) return [400, z.prettifyError(error)]
  return [400, error instanceof Error ? error.message : String(error)]
}

async function answer(request: IncomingMessage, context: AdminContext): Promise<readonly [number, unknown]> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  try {
    for (const [method, pattern, action] of routes) {
      const found = method === request.method ? pattern.exec(url.pathname) : null
      if (found === null) continue
      const path = found.slice(1).map(decodeURIComponent)
      return [200, action({ path, query: url.searchParams, body: await bodyOf(request) }, context) ?? {}]
    }
    return [404, { error: `there is no ${request.method} ${url.pathname}` }]
  } catch (error) {
    const [status, message] = failure(error)
    return [status, { error: message }]
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, context: AdminContext): Promise<void> {
  const [status, body] = await answer(request, context)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Listens at 127.0.0.1. */
export async function startAdmin(port: number, context: AdminContext): Promise<AdminServer> {
  const server = createServer((request, response) => void serve(request, response, context))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
}
