/** google.rpc.Status with ErrorInfo, as an exactly-once subscription answers where single ids failed. */
import { Metadata, status } from '@grpc/grpc-js'
import type { Refusal } from './refusal.ts'

const varint = (value: number): Buffer =>
  value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) + 128]), varint(Math.floor(value / 128))])
const field = (number: number, value: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2]), varint(Buffer.byteLength(value)), Buffer.from(value as string)])

/** @param failures ack id → what the service says of it */
export function ackFailures(failures: ReadonlyMap<string, string>): Refusal {
  const entries = [...failures].map(([id, what]) => field(3, Buffer.concat([field(1, id), field(2, what)])))
  const info = Buffer.concat([field(1, 'EXACTLY_ONCE_ACKID_FAILURE'), field(2, 'pubsub.googleapis.com'), ...entries])
  const any = Buffer.concat([field(1, 'type.googleapis.com/google.rpc.ErrorInfo'), field(2, info)])
  const details = 'Some acknowledgement ids in the request were invalid.'
  const metadata = new Metadata()
  metadata.set(
    'grpc-status-details-bin',
    Buffer.concat([Buffer.from([8, status.FAILED_PRECONDITION]), field(2, details), field(3, any)]),
  )
  return { code: status.FAILED_PRECONDITION, details, metadata }
}
