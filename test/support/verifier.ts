/** Records that can be checked on the far side, whatever lies between: (run, key, sequence, checksum) in the value. */
import { crc32 } from 'node:zlib'
import { Counter, type Tally } from './tally.ts'
import type { Sent, Way } from './way.ts'

export interface TestRecord {
  readonly key: string
  readonly value: Buffer
  readonly sequence: number
  /** Tells the record, for a header beside it. */
  readonly mark: string
}

export interface RunOptions {
  /** Tells this run's records from others in the same stream. No spaces. */
  readonly run: string
  /** How many keys take turns. */
  readonly keys: number
  /** Bytes of a value, or how to draw them: at least what the fields take. Default 200. */
  readonly bytes?: number | ((random: () => number) => number)
  /** The same seed makes the same order of keys. Default 1. */
  readonly seed?: number
  /** Each record must arrive with its mark. Default false: it may have lost it on the way. */
  readonly marked?: boolean
  /** What the bridge makes of records. Default: they arrive as they were sent. */
  readonly way?: Way
}

export interface TestRun {
  /** Makes the next record and counts it as sent: send it until it is acknowledged. */
  next(): TestRecord
  /** Makes the next `count` records. */
  take(count: number): TestRecord[]
  /** Looks at a record that arrived; `mark` is what its header says, where it has one. Records of other runs are left alone. Call it in the order of the sink's partition. */
  arrived(key: string | null, value: Buffer | string | null, mark?: string): void
  /** Different records that arrived. */
  readonly received: number
  /** Records that must arrive. */
  readonly sent: number
  tally(): Tally
}

/** One producer and one checker. A reader in another process can check too: the sequences of a key count from 0. */
export function testRun({ run, keys, bytes = 200, seed = 1, marked = false, way = unchanged }: RunOptions): TestRun {
  const sent = new Map<string, number>()
  const expected = expectations(way)
  const counter = new Counter()
  const random = randomNumbers(seed)
  let total = 0
  const next = (): TestRecord => {
    const key = `key-${Math.floor(random() * keys)}`
    const sequence = sent.get(key) ?? 0
    sent.set(key, sequence + 1)
    total += expected.add({ key, sequence })
    const size = typeof bytes === 'number' ? bytes : bytes(random)
    return { key, sequence, value: encode({ run, key, sequence }, size), mark: markOf({ key, sequence }) }
  }
  return {
    next,
    take: (count) => Array.from({ length: count }, next),
    arrived(key, value, mark) {
      const text = value?.toString() ?? ''
      const made = way.read(text)
      const found = made && decode(made.text)
      if (made === undefined || found === undefined) return counter.corrupt(`not a test record: ${text.slice(0, 60)}`)
      if (found.run !== run) return
      const place = expected.placeOf(found, made.part)
      const fault = faultOf(found, place, { key, mark, marked })
      if (fault !== undefined || place === undefined) counter.corrupt(fault ?? text.slice(0, 60))
      else counter.arrived(place.key, place.number)
    },
    get received() {
      return counter.received
    },
    get sent() {
      return total
    },
    tally: () => counter.tally(expected.byKey),
  }
}

interface Carried {
  readonly key: string | null
  readonly mark: string | undefined
  readonly marked: boolean
}

/** What is wrong with a record of this run, as it arrived. */
function faultOf(
  found: Fields & { readonly whole: boolean },
  place: Place | undefined,
  carried: Carried,
): string | undefined {
  const { key, mark, marked } = carried
  if (!found.whole) return `checksum of ${markOf(found)}`
  if (place === undefined) return `${markOf(found)} was not to arrive`
  if (key !== null && key !== place.key) return `${markOf(found)} has key ${key}`
  if ((marked || mark !== undefined) && mark !== markOf(found)) return `${markOf(found)} has the mark ${mark}`
  return undefined
}

const unchanged: Way = {
  name: 'unchanged',
  spec: {},
  becomes: ({ key }) => [key],
  read: (text) => ({ text, part: 0 }),
}

interface Place {
  readonly key: string
  /** Its number among the records of its key, from 0. */
  readonly number: number
}

/** Which records must arrive, and in which order. */
function expectations(way: Way) {
  const byKey = new Map<string, number>()
  const places = new Map<string, readonly Place[]>()
  return {
    byKey,
    /** @returns how many records it becomes */
    add(record: Sent): number {
      if (way === unchanged) {
        byKey.set(record.key, record.sequence + 1)
        return 1
      }
      const made = way.becomes(record).map((key) => {
        const number = byKey.get(key) ?? 0
        byKey.set(key, number + 1)
        return { key, number }
      })
      places.set(markOf(record), made)
      return made.length
    },
    /** Undefined where it is not to arrive. What arrives unchanged may have been sent by another process. */
    placeOf(record: Sent, part: number): Place | undefined {
      if (way === unchanged) return { key: record.key, number: record.sequence }
      return places.get(markOf(record))?.[part]
    },
  }
}

const markOf = ({ key, sequence }: Omit<Fields, 'run'>): string => `${key}#${sequence}`

interface Fields {
  readonly run: string
  readonly key: string
  readonly sequence: number
}

/** `run key sequence filler checksum`, the checksum over all before it. */
function encode({ run, key, sequence }: Fields, bytes: number): Buffer {
  const head = `${run} ${key} ${sequence} `
  const body = head.padEnd(Math.max(head.length + 1, bytes - 9), 'abcdefghijklmnopqrstuvwxyz0123456789')
  return Buffer.from(`${body} ${checksum(body)}`)
}

function decode(text: string): (Fields & { readonly whole: boolean }) | undefined {
  const [run, key, sequence] = text.split(' ', 3)
  if (run === undefined || key === undefined || sequence === undefined || !/^[0-9]+$/.test(sequence)) return undefined
  const end = text.lastIndexOf(' ')
  return { run, key, sequence: Number(sequence), whole: text.slice(end + 1) === checksum(text.slice(0, end)) }
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0')

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
