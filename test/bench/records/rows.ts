/** What is measured of the steps: one row for each kind of work, with the figure it has to reach. */
import type { BridgeRecord } from '../../../bridge-runtime/core/contracts.ts'
import { compileWriter } from '../../../bridge-runtime/formats/avro/encode.ts'
import { parseSchema } from '../../../bridge-runtime/formats/avro/node.ts'
import { Writer } from '../../../bridge-runtime/formats/avro/writer.ts'
import type { Value } from '../../../bridge-runtime/values/value.ts'
import type { OnTheWay } from '../../../bridge-runtime/pipeline/compile.ts'

export interface Row {
  readonly name: string
  /** As in a manifest. */
  readonly way: OnTheWay
  readonly record: (number: number) => BridgeRecord
  /** Records per CPU-second. */
  readonly goal: number
}

/** A nested order of about 900 bytes. */
function order(number: number): object {
  return {
    id: 1_000_000 + number,
    status: number % 5 === 0 ? 500 : 200,
    path: `/orders/${number}`,
    customer: {
      id: `customer-${number % 500}`,
      name: 'Ada Example',
      address: { street: 'Example Street 12', city: 'Berlin', zip: '10115' },
    },
    items: Array.from({ length: 6 }, (_, item) => ({
      sku: `sku-${(number * 7 + item) % 900}`,
      title: 'A thing that somebody buys',
      price: 19.99 + item,
      count: (item % 3) + 1,
      tags: ['new', 'sale'],
    })),
    placedAt: '2026-01-31T08:00:00.000Z',
    note: 'leave it with the neighbour, please',
  }
}

const recordOf = (value: string, number: number): BridgeRecord => ({
  key: Buffer.from(`key-${number % 64}`),
  value: Buffer.from(value),
  headers: [{ name: 'trace', value: Buffer.from(`t-${number}`) }],
  timestamp: 1_767_225_600_000 + number,
  position: number,
})

/** About 200 bytes. */
const logLine = (number: number): BridgeRecord =>
  recordOf(
    `203.0.113.${number % 250} - - [31/Jan/2026:08:${String(number % 60).padStart(2, '0')}:00 +0000] "GET /products/${number}?rid=key-${number % 64} HTTP/1.1" ${number % 9 === 0 ? 500 : 200} ${1_000 + number} "https://shop.example.com/cart" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"`,
    number,
  )

/** The order as Avro. */
const inline = JSON.stringify({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'status', type: 'int' },
    { name: 'path', type: 'string' },
    {
      name: 'customer',
      type: {
        type: 'record',
        name: 'Customer',
        fields: [
          { name: 'id', type: 'string' },
          { name: 'name', type: 'string' },
          {
            name: 'address',
            type: {
              type: 'record',
              name: 'Address',
              fields: ['street', 'city', 'zip'].map((name) => ({ name, type: 'string' })),
            },
          },
        ],
      },
    },
    {
      name: 'items',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Item',
          fields: [
            { name: 'sku', type: 'string' },
            { name: 'title', type: 'string' },
            { name: 'price', type: 'double' },
            { name: 'count', type: 'int' },
            { name: 'tags', type: { type: 'array', items: 'string' } },
          ],
        },
      },
    },
    { name: 'placedAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
})

const writeOrder = compileWriter(parseSchema(inline))

function orderAsAvro(number: number): BridgeRecord {
  const writer = new Writer()
  writeOrder.write(writer, order(number) as Value)
  return { ...recordOf('', number), value: writer.result() }
}

const text = { value: { text: {} } }
const combined =
  '^(?P<ip>\\S+) \\S+ (?P<user>\\S+) \\[(?P<time>[^\\]]+)\\] "(?P<method>[A-Z]+) (?P<path>[^ "]+) (?P<protocol>[^"]+)" (?P<status>\\d+) (?P<bytes>\\d+)'

const orders = (number: number): BridgeRecord => recordOf(JSON.stringify(order(number)), number)

export const rows: readonly Row[] = [
  {
    name: 'filter on a JSON field',
    way: { transforms: [{ filter: 'value.status >= 500' }] },
    record: orders,
    goal: 120_000,
  },
  { name: 'filter on the key', way: { transforms: [{ filter: "key != 'key-7'" }] }, record: orders, goal: 1_000_000 },
  {
    name: 'rename and remove, write JSON',
    way: { transforms: [{ rename: { 'value.path': 'value.url' } }, { remove: ['value.note'] }] },
    record: orders,
    goal: 90_000,
  },
  {
    name: 'access log, preset, to JSON',
    way: { decode: text, transforms: [{ parse: { accessLog: 'Combined', from: 'value', into: 'value' } }] },
    record: logLine,
    goal: 200_000,
  },
  {
    name: 'access log, regular expression, to JSON',
    way: {
      decode: text,
      transforms: [
        { parse: { regex: combined, from: 'value', into: 'value', types: { status: 'Int', bytes: 'Int' } } },
      ],
    },
    record: logLine,
    goal: 100_000,
  },
  {
    name: 'Avro to JSON',
    way: { decode: { value: { avro: { schema: { inline } } } } },
    record: orderAsAvro,
    goal: 150_000,
  },
  {
    name: 'JSON to Avro',
    way: { encode: { value: { avro: { schema: { inline }, register: false } } } },
    record: orders,
    goal: 100_000,
  },
]
