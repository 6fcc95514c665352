/** The two nodes that answer requests: $cbs takes tokens, $management describes hubs and partitions. */
import { type EventContext, message, type Receiver, type Sender, types } from './amqp.ts'
import type { Client } from './client.ts'
import { condition, Refused } from './conditions.ts'
import type { Fault, Faults, Scope } from './faults.ts'
import type { Hubs } from './hubs.ts'
import { pathOf } from './address.ts'
import { type Grant, type Keys, verify } from './sas.ts'

export interface Request {
  readonly message_id: string | number | Buffer | undefined
  readonly reply_to: string | undefined
  readonly application_properties: Readonly<Record<string, unknown>>
  readonly body: unknown
}

export interface Response {
  readonly status: number
  readonly description: string
  readonly condition?: string
  readonly body?: Readonly<Record<string, unknown>>
}

/** Answers one kind of request; throws Refused. */
export type Respond = (request: Request, client: Client) => Response

const requestCredit = 100

const statusOf: Readonly<Record<string, number>> = {
  [condition.notFound]: 404,
  [condition.argumentOutOfRange]: 400,
  [condition.unauthorized]: 401,
  [condition.notImplemented]: 501,
}

function answer(respond: Respond, request: Request, client: Client): Response {
  try {
    return respond(request, client)
  } catch (error) {
    const refused = error instanceof Refused ? error : new Refused(condition.internalError, String(error))
    const status = statusOf[refused.condition] ?? 500
    return { status, description: refused.message, condition: refused.condition }
  }
}

/** The link that the request names for its answer, or else, for clients that name none, the one beside the request's own. */
function replyLink({ reply_to: name }: Request, { replies }: Client, receiver: Receiver): Sender | undefined {
  const links = [...replies]
  if (name === undefined)
    return links.find(
      ({ session, source }) => session === receiver.session && source.address === receiver.target.address,
    )
  return links.find((sender) => sender.name === name || sender.target?.address === name)
}

function reply(request: Request, response: Response, sender: Sender | undefined): void {
  sender?.send({
    ...(request.message_id === undefined ? {} : { correlation_id: request.message_id }),
    application_properties: {
      'status-code': types.wrap_int(response.status),
      'status-description': response.description,
      ...(response.condition === undefined ? {} : { 'error-condition': types.wrap_symbol(response.condition) }),
    },
    body: response.body,
  })
}

export interface RequestLink {
  readonly client: Client
  readonly receiver: Receiver
  readonly on: 'cbs' | 'management'
  readonly respond: Respond
  readonly faults: Faults
}

const scopeOf = ({ application_properties: { name } }: Request): Scope =>
  typeof name === 'string' ? { hub: pathOf(name).split('/')[0] } : {}

/** Serves a link on which a client sends requests. */
export function serveRequests({ client, receiver, on, respond, faults }: RequestLink): void {
  receiver.add_credit(requestCredit)
  receiver.on('message', ({ message: bytes, delivery }: EventContext) => {
    receiver.add_credit(1)
    const request = message.decode(bytes as unknown as Buffer) as unknown as Request
    delivery?.accept()
    const fault = faults.next(on, scopeOf(request))
    const act = (): void =>
      reply(request, spoilt(fault) ?? answer(respond, request, client), replyLink(request, client, receiver))
    if (fault !== undefined && client.disturb(fault)) return
    if (fault?.do === 'silence') return
    if (fault?.do === 'delay') setTimeout(act, fault.milliseconds).unref()
    else act()
  })
}

const spoilt = (fault: Fault | undefined): Response | undefined =>
  fault?.do === 'status'
    ? { status: fault.status, description: fault.description, condition: fault.condition }
    : undefined

/** Takes tokens. They are verified when there are keys. */
export const putToken =
  (keys: () => Keys, now: () => number): Respond =>
  ({ application_properties: { operation, name }, body }, client) => {
    if (operation !== 'put-token' || typeof name !== 'string')
      throw new Refused(condition.notImplemented, `Operation '${String(operation)}' is not supported.`)
    client.grant(grantOf(String(body), name, { keys: keys(), now: now() }))
    return { status: 202, description: 'Accepted' }
  }

function grantOf(token: string, audience: string, context: { keys: Keys; now: number }): Grant {
  if (context.keys.size === 0) return { path: pathOf(audience), expires: Infinity }
  const grant = verify(token, audience, context)
  if (typeof grant === 'string') throw new Refused(condition.unauthorized, grant)
  return grant
}

export interface ManagementOptions {
  readonly hubs: Hubs
  readonly needsToken: () => boolean
}

/** Describes a hub or a partition. */
export const describe =
  ({ hubs, needsToken }: ManagementOptions): Respond =>
  ({ application_properties: { operation, type, name, partition } }, client) => {
    if (operation !== 'READ')
      throw new Refused(condition.notImplemented, `Operation '${String(operation)}' is not supported.`)
    if (needsToken() && !client.allowed(`${String(name)}/$management`))
      throw new Refused(
        condition.unauthorized,
        `Unauthorized access. 'Listen' claim(s) are required for '${String(name)}'.`,
      )
    const body =
      type === 'com.microsoft:partition'
        ? describePartition(hubs, String(name), String(partition))
        : describeHub(hubs, String(name))
    return { status: 200, description: 'OK', body }
  }

function describeHub(hubs: Hubs, id: string): Record<string, unknown> {
  const { name, createdAt, partitions } = hubs.get(id)
  return {
    name,
    type: 'com.microsoft:eventhub',
    created_at: types.wrap_timestamp(createdAt),
    partition_count: types.wrap_int(partitions.length),
    partition_ids: types.wrap_array(
      partitions.map((_, id) => String(id)),
      0xa1,
      undefined,
    ),
    georeplication_factor: types.wrap_int(1),
  }
}

function describePartition(hubs: Hubs, id: string, partition: string): Record<string, unknown> {
  const hub = hubs.get(id)
  const log = hubs.partition(hub, partition)
  const { last } = log
  return {
    name: hub.name,
    type: 'com.microsoft:partition',
    partition,
    begin_sequence_number: types.wrap_long(last === undefined ? -1 : log.firstSequenceNumber),
    last_enqueued_sequence_number: types.wrap_long(last?.sequenceNumber ?? -1),
    last_enqueued_offset: String(last?.offset ?? -1),
    last_enqueued_time_utc: types.wrap_timestamp(last?.enqueuedTime ?? 0),
    is_partition_empty: log.empty,
  }
}
