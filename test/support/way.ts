/** What a bridge's steps must make of test records: a model beside the product, which shares no code with it. */
import type { BridgeFileInput } from '../../crds/schema/bridge-file.ts'

export interface Sent {
  readonly key: string
  readonly sequence: number
}

export interface Way {
  readonly name: string
  /** Of a bridge. */
  readonly spec: Pick<BridgeFileInput, 'decode' | 'transforms' | 'encode'>
  /** The keys of the records that a record becomes, in order: none where it is filtered out. */
  becomes(record: Sent): readonly string[]
  /** Takes apart what arrived: the test record's own text, and which of its records this is. */
  read(value: string): { readonly text: string; readonly part: number } | undefined
}

/** Records that a record becomes at most: what one that is read again repeats. */
export const partsOf = (way: Way | undefined): number =>
  way === undefined ? 1 : Math.max(1, way.becomes({ key: 'key-0', sequence: 0 }).length)

const sequence = "int(value.split(' ')[2])"

function parsed(value: string): { readonly text: string; readonly part: number } | undefined {
  try {
    const { text, part } = JSON.parse(value) as { readonly text?: unknown; readonly part?: unknown }
    return typeof text === 'string' && typeof part === 'number' ? { text, part } : undefined
  } catch {
    return undefined
  }
}

const decode = { value: { text: {} } }

/** A tenth is filtered out, the others are wrapped in JSON. */
export const filtered: Way = {
  name: 'filter, set',
  spec: { decode, transforms: [{ filter: `${sequence} % 10 != 3` }, { set: { value: "{'text': value, 'part': 0}" } }] },
  becomes: ({ key, sequence: number }) => (number % 10 === 3 ? [] : [key]),
  read: parsed,
}

/** As `filtered`, and each key becomes two, by turns. */
export const rekeyed: Way = {
  name: 'filter, rekey, set',
  spec: {
    decode,
    transforms: [
      { filter: `${sequence} % 10 != 3` },
      { rekey: `key + '-' + string(${sequence} % 2)` },
      { set: { value: "{'text': value, 'part': 0}" } },
    ],
  },
  becomes: ({ key, sequence: number }) => (number % 10 === 3 ? [] : [`${key}-${number % 2}`]),
  read: parsed,
}

/** Each record becomes three. */
export const exploded: Way = {
  name: 'explode',
  spec: {
    decode,
    transforms: [
      { set: { value: "{'parts': [0, 1, 2].map(part, {'text': value, 'part': part})}" } },
      { explode: 'value.parts' },
    ],
  },
  becomes: ({ key }) => [key, key, key],
  read: parsed,
}
