/** The rules of a stage hold for every step and format. */
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import fc from 'fast-check'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import { type OnTheWay, stagesOpener } from '../../bridge-runtime/pipeline/compile.ts'
import { onTheWay } from '../../crds/schema/transforms.ts'
import { stageSuite } from './stage-suite.ts'

const countries = fileURLToPath(
  import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'),
)

const inline = JSON.stringify({
  type: 'record',
  name: 'R',
  fields: [
    { name: 'a', type: ['null', 'long', 'double', 'string'], default: null },
    { name: 'b', type: ['null', { type: 'array', items: 'long' }], default: null },
  ],
})

/** For each step and format what a manifest says, and values it is made for. */
const ways: Readonly<Record<string, z.input<typeof schema>>> = {
  filter: { transforms: [{ filter: 'value.a > 1' }] },
  set: { transforms: [{ set: { 'value.a.b': 'value.a', 'headers.h': 'key', timestamp: 'timestamp' } }] },
  rename: { transforms: [{ rename: { 'value.a': 'value.b.c', 'headers.a': 'headers.b' } }] },
  remove: { transforms: [{ remove: ['value.a', 'headers.a'] }] },
  explode: { transforms: [{ explode: 'value.a' }, { rekey: 'string(index)' }] },
  rekey: { transforms: [{ rekey: 'string(value.a)' }] },
  sample: { transforms: [{ sample: { percent: 50 } }] },
  'parse with a regular expression': {
    transforms: [
      { parse: { regex: '^(?P<head>.)(?P<rest>.*)$', from: 'value.a', into: 'value.b', types: { head: 'Int' } } },
    ],
  },
  'parse csv': { decode: { value: { bytes: {} } }, transforms: [{ parse: { csv: { columns: ['a', 'b', 'c'] } } }] },
  'parse key=value': { transforms: [{ parse: { keyValue: {}, from: 'value.a', into: 'value.a' } }] },
  'parse json': { transforms: [{ parse: { json: {}, from: 'value.a', into: 'value.b.c' } }] },
  'parse an access log': { decode: { value: { text: {} } }, transforms: [{ parse: { accessLog: 'Combined' } }] },
  'parse syslog': { decode: { value: { text: {} } }, transforms: [{ parse: { syslog: 'RFC5424' } }] },
  'redact by hash': {
    transforms: [
      { redact: { paths: ['value.a', 'headers.a'], method: 'Hash', keySecretRef: { name: 's', key: 'k' } } },
    ],
  },
  'redact by mask': { transforms: [{ redact: { paths: ['value.a', 'value.b.c'], method: 'Mask' } }] },
  'redact by removal': { transforms: [{ redact: { paths: ['value.a', 'headers.a'], method: 'Remove' } }] },
  'enrich from a database': {
    transforms: [{ enrich: { geo: { database: { volumePath: countries }, ip: 'value.a', into: 'value.b.geo' } } }],
  },
  'enrich from a table': {
    transforms: [{ enrich: { table: { inline: { a: 'x' }, key: 'key', into: 'value.b' } } }],
  },
  'json to avro': { encode: { value: { avro: { schema: { inline } } } } },
  'avro to json': { decode: { value: { avro: { schema: { inline } } } } },
  'text to json': {
    decode: { value: { text: {} }, key: { text: {} } },
    encode: { value: { json: {} }, key: { json: {} } },
  },
  'json to text': { decode: { value: { json: {} } }, encode: { value: { text: {} } } },
  'csv to json': { decode: { value: { csv: { columns: ['a', 'b'] } } } },
  'json to csv': { encode: { value: { csv: { columns: ['a', 'b'] } } } },
  'bytes to text': { decode: { value: { bytes: {} } }, encode: { value: { text: {} } } },
}

const schema = z.object(onTheWay)
const context = { clock: realClock, log: silentLogger, secret: () => Promise.resolve(Buffer.alloc(32)) }

const part = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.string(),
  fc.array(fc.integer(), { maxLength: 4 }),
  fc.constant(null),
)
const values = fc.record({ a: part, b: part }, { requiredKeys: [] }).map((value) => Buffer.from(JSON.stringify(value)))

for (const [name, way] of Object.entries(ways)) {
  const parsed: OnTheWay = schema.parse(way)
  const make = () => {
    const [stage] = stagesOpener(parsed, context)({ partition: 'orders/0', stream: 'orders', target: 'out' })
    if (stage === undefined) throw new TypeError(`${name} makes no stage`)
    return stage
  }
  stageSuite(name, make, values)
}
