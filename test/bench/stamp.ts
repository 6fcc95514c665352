/** The first bytes of a benchmark record's value. */

export interface Stamp {
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  /** Counts from 0. */
  readonly number: number
}

export function writeStamp(value: Buffer, { madeAt, number }: Stamp): void {
  value.writeDoubleBE(madeAt, 0)
  value.writeUInt32BE(number, 8)
}

export const readStamp = (value: Buffer): Stamp => ({ madeAt: value.readDoubleBE(0), number: value.readUInt32BE(8) })
