/** AMQP values and events put together by hand, also such as no library would write. Values are hexadecimal or bytes. */

export type Encoded = Buffer | string

const bytesOf = (value: Encoded): Buffer => (typeof value === 'string' ? Buffer.from(value, 'hex') : value)
const joined = (values: readonly Encoded[]): Buffer => Buffer.concat(values.map(bytesOf))

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const withLength = (code: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([code]), uint32(content.length), content])

export const string = (text: string): Buffer => withLength(0xb1, Buffer.from(text, 'utf8'))
export const symbol = (text: string): Buffer => withLength(0xb3, Buffer.from(text, 'ascii'))
export const binary = (content: Encoded): Buffer => withLength(0xb0, bytesOf(content))
export const list = (...values: readonly Encoded[]): Buffer =>
  withLength(0xd0, Buffer.concat([uint32(values.length), joined(values)]))
/** Keys and values in turn. */
export const map = (...entries: readonly Encoded[]): Buffer =>
  withLength(0xd1, Buffer.concat([uint32(entries.length), joined(entries)]))
/** @param constructor the type code, and descriptors before it. @param count what it claims to hold */
export const array = (constructor: Encoded, contents: readonly Encoded[], count = contents.length): Buffer =>
  withLength(0xf0, Buffer.concat([uint32(count), bytesOf(constructor), joined(contents)]))
export const describe = (descriptor: Encoded, value: Encoded): Buffer => joined(['00', descriptor, value])

export const long = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(9, 0x81)
  bytes.writeBigInt64BE(value, 1)
  return bytes
}

export const section = (code: number, value: Encoded): Buffer => joined([Buffer.from([0x00, 0x53, code]), value])
export const bodyValue = (value: Encoded): Buffer => section(0x77, value)
export const bodyData = (content: Encoded): Buffer => section(0x75, binary(content))
export const bodySequence = (value: Encoded): Buffer => section(0x76, value)
/** Names and values in turn. */
export const properties = (...entries: readonly Encoded[]): Buffer => section(0x74, map(...entries))

/** An event as the service gives it to a reader: number 7. @param annotations further ones: names and values in turn */
export function received(sections: readonly Encoded[], annotations: readonly Encoded[] = []): Buffer {
  const own = [symbol('x-opt-sequence-number'), long(7n), symbol('x-opt-enqueued-time'), '830000018bcfe56800']
  return joined([section(0x72, map(...own, ...annotations)), ...sections])
}
