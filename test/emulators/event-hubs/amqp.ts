/** The AMQP library, and the few parts of its inside that a server like this one needs. */
import rhea, { type Connection, type Receiver, type Sender, type Session } from 'rhea'

export type { Connection, Delivery, EventContext, Receiver, Sender, Session } from 'rhea'

export const { message, types } = rhea
export const createContainer = rhea.create_container.bind(rhea)

/** Message format of a batch; anything else is a single event. */
export const batchFormat = 0x80013700
/** Any format that the library hands over undecoded. */
const rawFormat = 1
/** The service's frames are no larger, so messages come in several. */
export const maxFrameSize = 65_536
/** Links of a session, less one. */
const maxHandle = 255

interface TransferFrame {
  readonly performative: { message_format: number | undefined }
}

interface Incoming {
  on_transfer(frame: TransferFrame, receiver: Receiver): void
}

interface Outgoing {
  readonly next_delivery_id: number
  readonly next_pending_delivery: number
  available(): number
  compute_max_payload(tag: Buffer): number | undefined
}

interface SessionInside {
  readonly local: { readonly begin: { handle_max: number } }
  readonly incoming: Incoming
  readonly outgoing: Outgoing
}

export interface Attach {
  readonly name: string
  max_message_size: number | undefined
  snd_settle_mode: number | undefined
  offered_capabilities: string[] | undefined
}

interface LinkInside {
  readonly local: { readonly attach: Attach }
  credit: number
}

interface FlowFrame {
  readonly performative: { delivery_count: number | null | undefined }
}

const inside = (session: Session): SessionInside => session as unknown as SessionInside

/** Hands every message over as bytes, and sends in frames the size of the service's. */
export function prepareSession(session: Session): void {
  const { incoming, outgoing, local } = inside(session)
  local.begin.handle_max = maxHandle
  const onTransfer = incoming.on_transfer.bind(incoming)
  incoming.on_transfer = (frame, receiver) => {
    if (frame.performative.message_format === 0) frame.performative.message_format = rawFormat
    onTransfer(frame, receiver)
  }
  const maxPayload = outgoing.compute_max_payload.bind(outgoing)
  outgoing.compute_max_payload = (tag) => Math.min(maxPayload(tag) ?? Infinity, maxFrameSize - 50 - tag.length)
}

/** Takes a first flow without a delivery count, which a receiver may send before it has seen our attach. */
export function prepareSender(sender: Sender): void {
  const flowing = sender as unknown as { on_flow(frame: FlowFrame): void }
  const onFlow = flowing.on_flow.bind(sender)
  flowing.on_flow = (frame) => {
    frame.performative.delivery_count ??= 0
    onFlow(frame)
  }
}

/** The attach frame that is written after the open event was handled. */
export const replyAttach = (link: Sender | Receiver): Attach => (link as unknown as LinkInside).local.attach

export const creditOf = (link: Sender | Receiver): number => (link as unknown as LinkInside).credit

/** How many messages may be sent now: credit and buffer, less what the library has not written yet. */
export function roomOf(sender: Sender): number {
  const { outgoing } = inside(sender.session)
  const unwritten = outgoing.next_delivery_id - outgoing.next_pending_delivery
  return Math.max(0, Math.min(creditOf(sender) - unwritten, outgoing.available()))
}

/** Nothing more is sent on the link, not even what waits for the peer's window. */
export function revokeCredit(sender: Sender): void {
  ;(sender as unknown as LinkInside).credit = 0
}

/** Makes the library write what it has to say. */
export const flush = (connection: Connection): void => (connection as unknown as { _register(): void })._register()

interface Performative {
  readonly value: unknown[]
}

interface ConnectionInside {
  socket_ready: boolean
  _write_frame(channel?: number, frame?: Performative, payload?: Buffer): void
  _disconnected(): void
}

const fieldCounts = new Map<object, number>()

function fieldsOf(frame: Performative): number {
  const type = Object.getPrototypeOf(frame) as object
  const known = fieldCounts.get(type)
  if (known !== undefined) return known
  const count = Object.values(Object.getOwnPropertyDescriptors(type)).filter(
    (property) => property.get !== undefined,
  ).length
  fieldCounts.set(type, count)
  return count
}

/** Writes every field of a frame: the service leaves out no trailing nulls, and some clients count on it. */
export function prepareConnection(connection: Connection): void {
  const inside = connection as unknown as ConnectionInside
  const write = inside._write_frame.bind(connection)
  inside._write_frame = (channel, frame, payload) => {
    if (frame !== undefined) frame.value.length = fieldsOf(frame)
    write(channel, frame, payload)
  }
}

/** The library learns of the end of its socket, however it ended, and starts no timer for it any more. */
export function socketEnded(connection: Connection): void {
  const inside = connection as unknown as ConnectionInside
  inside._disconnected()
  inside.socket_ready = false
}
