/**
 * What became of each acknowledgement id of a request to an exactly-once subscription: the service says it beside the
 * gRPC status, as google.rpc.ErrorInfo within google.rpc.Status.
 */
import type { BridgeError } from '../../core/errors.ts'
import { DetailedFailure } from './errors.ts'

/** Id → `PERMANENT_FAILURE_INVALID_ACK_ID`, `TRANSIENT_FAILURE_…`. Empty where the error says nothing of single ids. */
export function failuresById(error: BridgeError): ReadonlyMap<string, string> {
  const failures = new Map<string, string>()
  const bytes = error instanceof DetailedFailure ? error.details : undefined
  if (bytes === undefined) return failures
  try {
    for (const any of fields(bytes, 3)) readInfo(any, failures)
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
  }
  return failures
}

/** Any { type_url = 1, value = 2 } of ErrorInfo { reason = 1, domain = 2, metadata = 3 }. */
function readInfo(any: Uint8Array, failures: Map<string, string>): void {
  const [type] = fields(any, 1)
  const [info] = fields(any, 2)
  if (type === undefined || info === undefined || !textOf(type).endsWith('/google.rpc.ErrorInfo')) return
  for (const entry of fields(info, 3)) {
    const [id] = fields(entry, 1)
    const [what] = fields(entry, 2)
    if (id !== undefined) failures.set(textOf(id), what === undefined ? '' : textOf(what))
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** The length-delimited fields of one number in a protobuf message. Throws a RangeError where it is cut off. */
function fields(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at]
      if (byte === undefined || factor > 2 ** 49) throw new RangeError('a cut-off protobuf message')
      at += 1
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const type = tag & 7
    if (type === 0) varint()
    else if (type === 1 || type === 5) at += type === 1 ? 8 : 4
    else if (type === 2) {
      const length = varint()
      if (at + length > message.length) throw new RangeError('a cut-off protobuf message')
      if (Math.floor(tag / 8) === wanted) found.push(message.subarray(at, at + length))
      at += length
    } else throw new RangeError('an unknown protobuf wire type')
  }
  return found
}
