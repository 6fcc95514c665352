/** Where a batch ends, and whether it is whole: by its header, and where that is damaged by what follows. */
import { DamagedBatch, headerByNext, headerIn } from './damaged-batch.ts'
import {
  type BatchHeader,
  checksumHolds,
  headerAt,
  headerSize,
  OldFormatError,
  readHeader,
} from '../../protocol/record-batch.ts'

export interface Framed {
  /** With the true length, if that is `sure`. */
  readonly header: BatchHeader
  readonly sure: boolean
  /** Whether its checksum holds. */
  readonly intact: boolean
  /** What is wrong with it, wherever it is. */
  readonly wrong?: string
}

/** The batch at a place; undefined when the answer ends before it does. Throws a DamagedBatch where none can be, and an OldFormatError. */
export function frame(bytes: Buffer, at: number, next: number): Framed | undefined {
  const { header, format } = anyHeader(bytes, at)
  if (header !== undefined && checksumHolds(bytes.subarray(at, at + header.size)))
    return { header, intact: true, sure: true, ...(format === undefined ? {} : { wrong: format.message }) }
  const byNext = headerByNext(bytes, at, next)
  if (byNext !== undefined) {
    const intact = checksumHolds(bytes.subarray(at, at + byNext.size))
    const wrong = intact ? 'its length is wrong' : 'its checksum is wrong'
    return { header: byNext, intact, sure: true, wrong }
  }
  if (format instanceof OldFormatError) throw format
  if (format !== undefined) {
    const resume = { offset: next + 1, aligned: false }
    throw new DamagedBatch(format.message, { bytes: bytes.subarray(at), whole: false, resume })
  }
  if (header === undefined) return undefined
  const end = at + header.size
  const sure = end === bytes.length || headerIn(bytes, end) !== undefined
  return { header, intact: false, sure, wrong: 'its checksum is wrong' }
}

interface AnyHeader {
  readonly header: BatchHeader | undefined
  /** Why it is none that can be read. The format is not under the checksum: the batch may be whole. */
  readonly format?: RangeError | OldFormatError
}

function anyHeader(bytes: Buffer, at: number): AnyHeader {
  try {
    return { header: readHeader(bytes, at) }
  } catch (thrown) {
    if (!(thrown instanceof RangeError || thrown instanceof OldFormatError)) throw thrown
    return { header: withinAnyFormat(bytes, at), format: thrown }
  }
}

function withinAnyFormat(bytes: Buffer, at: number): BatchHeader | undefined {
  if (bytes.length - at < headerSize) return undefined
  const header = headerAt(bytes, at)
  return header.size < headerSize || bytes.length - at < header.size ? undefined : header
}
