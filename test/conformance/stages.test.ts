/** The stage suite, over stages that keep to its rules. */
import fc from 'fast-check'
import type { BridgeRecord, Stage } from '../../bridge-runtime/core/contracts.ts'
import { BridgeError } from '../../bridge-runtime/core/errors.ts'
import { stageSuite } from './stage-suite.ts'

const odd = new BridgeError('its first byte is odd', { kind: 'poison', reason: 'InvalidRecord' })

const from =
  (name: string, make: (record: BridgeRecord) => readonly BridgeRecord[]): (() => Stage) =>
  () => ({
    name,
    apply: (records) => {
      const made = records.map(make)
      return {
        records: made.flat(),
        parents: Uint32Array.from(made.flatMap((outputs, index) => outputs.map(() => index))),
      }
    },
  })

const text = fc.string().map((value) => Buffer.from(value))

stageSuite('one that changes nothing', () => ({ name: 'same', apply: (records) => ({ records }) }), text)
stageSuite(
  'a filter',
  from('filter', (record) => ((record.value?.length ?? 0) % 2 === 0 ? [record] : [])),
  text,
)
stageSuite(
  'one output for each byte',
  from('explode', (record) => [...(record.value ?? [])].map((byte) => ({ ...record, value: Buffer.of(byte) }))),
  text,
)
stageSuite(
  'one that refuses',
  from('refuse', (record) => [(record.value?.[0] ?? 0) % 2 === 1 ? { ...record, poison: odd } : record]),
  text,
)
