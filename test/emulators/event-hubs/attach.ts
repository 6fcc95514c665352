/** What happens when a client attaches a link: to $cbs, to $management, to a hub, or to a partition of a consumer group. */
import { parseAddress } from './address.ts'
import { type Receiver, replyAttach, type Sender } from './amqp.ts'
import type { Client } from './client.ts'
import { condition, errorOf, noSuchEntity, Refused } from './conditions.ts'
import { admit, displacedBy } from './epochs.ts'
import type { Faults } from './faults.ts'
import { parseFilter, type Start } from './filter.ts'
import type { Hub, Hubs } from './hubs.ts'
import type { EmulatorOptions } from './options.ts'
import type { PartitionLog } from './partition-log.ts'
import { Reader } from './reader.ts'
import { type Respond, serveRequests } from './requests.ts'
import { Writer } from './writer.ts'

export interface AttachContext {
  readonly options: EmulatorOptions
  readonly hubs: Hubs
  readonly faults: Faults
  readonly needsToken: () => boolean
  readonly putToken: Respond
  readonly describe: Respond
}

/** Extensions of the protocol that readers and writers may ask for here; offsets are texts, as geo-replication demands. */
const georeplication = 'com.microsoft:georeplication'
const runtimeMetric = 'com.microsoft:enable-receiver-runtime-metric'
const idempotentProducer = 'com.microsoft:idempotent-producer'
const selector = 'apache.org:selector-filter:string'

const list = (value: string | string[] | null | undefined): string[] => [value ?? []].flat()

/** Says which extensions are granted. An empty array, other than none, is beyond some clients. */
function offer(link: Sender | Receiver, capabilities: string[]): void {
  if (capabilities.length > 0) replyAttach(link).offered_capabilities = capabilities
}

/** Agrees to how the client wants deliveries settled: some detach a link whose answer says something else. */
function agree(link: Sender | Receiver): void {
  link.set_source(link.source)
  link.set_target(link.target ?? {})
  replyAttach(link).snd_settle_mode = link.snd_settle_mode
}

/** Attaches, or lets the link be detached with the reason. */
function orRefuse(link: Sender | Receiver, attach: () => void): void {
  try {
    attach()
  } catch (error) {
    const refused = error instanceof Refused ? error : new Refused(condition.internalError, String(error))
    link.close(errorOf(refused.condition, refused.message))
  }
}

function authorize({ needsToken }: AttachContext, client: Client, address: string): void {
  if (needsToken() && !client.allowed(address))
    throw new Refused(condition.unauthorized, `Unauthorized access. No valid token was put for '${address}'.`)
}

/** The client sends on this link. */
export function attachReceiver(context: AttachContext, client: Client, receiver: Receiver): void {
  agree(receiver)
  orRefuse(receiver, () => {
    const address = (receiver.target as { address?: string } | null)?.address
    const parsed = parseAddress(address)
    const { faults, putToken, describe } = context
    if (parsed.kind === 'cbs') return serveRequests({ client, receiver, on: 'cbs', respond: putToken, faults })
    if (parsed.kind === 'management')
      return serveRequests({ client, receiver, on: 'management', respond: describe, faults })
    if (parsed.kind !== 'hub') throw noSuchEntity(String(address))
    attachWriter(context, { client, receiver, hub: context.hubs.get(parsed.hub), partition: parsed.partition })
  })
}

interface WriterTarget {
  readonly client: Client
  readonly receiver: Receiver
  readonly hub: Hub
  readonly partition: string | undefined
}

function attachWriter(context: AttachContext, target: WriterTarget): void {
  const { receiver, client, hub, partition } = target
  if (partition !== undefined) context.hubs.partition(hub, partition)
  authorize(context, client, receiver.target.address)
  const desired = list(receiver.desired_capabilities)
  if (desired.includes(idempotentProducer))
    throw new Refused(condition.notImplemented, 'The emulator has no idempotent producers.')
  offer(
    receiver,
    desired.filter((name) => name === georeplication),
  )
  const { maxMessageSize, now } = context.options
  void new Writer({ ...target, maxMessageSize, faults: context.faults, now })
}

/** The client receives on this link. */
export function attachSender(context: AttachContext, client: Client, sender: Sender): void {
  agree(sender)
  orRefuse(sender, () => {
    const address = (sender.source as { address?: string } | null)?.address
    const parsed = parseAddress(address)
    if (parsed.kind === 'cbs' || parsed.kind === 'management') return attachReplies(client, sender)
    if (parsed.kind !== 'partition') throw noSuchEntity(String(address))
    const hub = context.hubs.get(parsed.hub)
    if (!hub.groups.has(parsed.group)) throw noSuchEntity(String(address))
    const log = context.hubs.partition(hub, parsed.partition)
    authorize(context, client, sender.source.address)
    attachReader(context, { client, sender, hub, log, group: parsed.group, partition: parsed.partition })
  })
}

function attachReplies(client: Client, sender: Sender): void {
  client.replies.add(sender)
  sender.on('sender_close', () => void client.replies.delete(sender))
}

interface ReaderSource {
  readonly client: Client
  readonly sender: Sender
  readonly hub: Hub
  readonly log: PartitionLog
  readonly group: string
  readonly partition: string
}

function startOf({ sender, log }: ReaderSource, allowBeyondEnd: boolean): Start {
  const filter = (sender.source.filter as Readonly<Record<string, unknown>> | undefined)?.[selector]
  const text = filter === undefined ? undefined : String(filter)
  const start = parseFilter(text)
  if (start === undefined) throw new Refused(condition.invalidField, `The filter "${text}" is not supported.`)
  const refusal = allowBeyondEnd ? undefined : log.refusal(start)
  if (refusal !== undefined) throw new Refused(condition.argumentError, refusal)
  return start
}

function attachReader(context: AttachContext, source: ReaderSource): void {
  const { sender, hub, group, partition, log } = source
  const start = log.startOf(startOf(source, context.options.allowBeyondEnd))
  const properties = (sender.properties ?? {}) as Readonly<Record<string, unknown>>
  const epoch = properties['com.microsoft:epoch']
  const claim = {
    reader: String(properties['com.microsoft:receiver-name'] ?? sender.name),
    epoch: epoch === undefined || epoch === null ? undefined : Number(epoch),
  }
  const admission = admit(hub.readers.get(`${group}/${partition}`) ?? [], claim)
  if (admission.kind === 'refused') throw new Refused(admission.condition, admission.description)
  for (const other of admission.displaced) other.detach(condition.stolen, displacedBy(claim, other))
  const desired = list(sender.desired_capabilities)
  const offered = desired.filter((name) => name === georeplication || name === runtimeMetric)
  offer(sender, offered)
  const { faults, options } = context
  void new Reader({ ...source, ...claim, start, metric: offered.includes(runtimeMetric), faults, now: options.now })
}
