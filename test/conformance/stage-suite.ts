/** The rules of a stage, for any stage: see CONTRACT.md. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BridgeRecord, Stage } from '../../bridge-runtime/core/contracts.ts'
import { stageRules } from './rules.ts'

const bytes = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 24 }).map((value) => Buffer.from(value)),
  fc.string({ maxLength: 24 }).map((value) => Buffer.from(value)),
  fc.json({ maxDepth: 2 }).map((value) => Buffer.from(value)),
)

/** Records that a source may give: nothing about them is known. */
const anyRecords = (values: fc.Arbitrary<Buffer | null>): fc.Arbitrary<BridgeRecord[]> =>
  fc
    .array(
      fc.record({
        key: bytes,
        value: values,
        headers: fc.array(fc.record({ name: fc.string({ maxLength: 8 }), value: bytes }), { maxLength: 3 }),
        timestamp: fc.oneof(fc.integer({ min: 0 }), fc.constantFrom(-1, 0, Number.MAX_SAFE_INTEGER)),
      }),
      { maxLength: 40 },
    )
    .map((records) => records.map((record, position) => ({ ...record, position })))

interface Output {
  readonly parent: number
  readonly record: BridgeRecord
}

/** What a new stage makes of the records, given to it in pieces of this size. */
async function outputsOf(make: () => Stage, records: readonly BridgeRecord[], piece: number): Promise<Output[]> {
  const stage = make()
  const outputs: Output[] = []
  for (let from = 0; from < records.length; from += piece) {
    const part = records.slice(from, from + piece)
    await stage.prepare?.(part, new AbortController().signal)
    const derived = stage.apply(part)
    for (const [index, record] of derived.records.entries())
      outputs.push({ parent: from + (derived.parents?.[index] ?? index), record })
    if (derived.parents === undefined) assert.equal(derived.records.length, part.length, 'one output for each input')
    else assert.equal(derived.parents.length, derived.records.length)
  }
  return outputs
}

/**
 * @param make a stage as it begins: each call gives a new one
 * @param values such values as it is made for; any are tried as well
 */
export function stageSuite(name: string, make: () => Stage, values: fc.Arbitrary<Buffer>): void {
  const records = anyRecords(fc.oneof(values, bytes))
  const holds = (
    rule: keyof typeof stageRules,
    check: (given: BridgeRecord[], piece: number) => Promise<void>,
  ): void => {
    test(`${rule} ${stageRules[rule]} · ${name}`, () =>
      fc.assert(fc.asyncProperty(records, fc.integer({ min: 1, max: 12 }), check), { numRuns: 200 }))
  }

  holds('T1', async (given, piece) => {
    const parents = (await outputsOf(make, given, piece)).map(({ parent }) => parent)
    assert.deepEqual(
      parents,
      parents.toSorted((a, b) => a - b),
    )
    assert.ok(parents.every((parent) => parent >= 0 && parent < given.length))
  })

  holds('T2', async (given, piece) => {
    assert.deepEqual(await outputsOf(make, given, piece), await outputsOf(make, given, given.length || 1))
  })

  holds('T3', async (given, piece) => {
    const before = structuredClone(given)
    await outputsOf(make, given, piece)
    assert.deepEqual(structuredClone(given), before)
  })

  holds('T4', async (given, piece) => {
    await outputsOf(make, given, piece)
  })
}
