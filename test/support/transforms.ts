/** Runs records through what stands in a manifest, without an engine. */
import type { BridgeRecord } from '../../bridge-runtime/core/contracts.ts'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import { stagesOpener } from '../../bridge-runtime/pipeline/compile.ts'
import { onTheWay } from '../../crds/schema/transforms.ts'
import { z } from 'zod'

const schema = z.object(onTheWay)

export interface Given {
  readonly key?: string | Buffer | null
  readonly value?: string | Buffer | null
  readonly headers?: Readonly<Record<string, string>>
  readonly timestamp?: number
  readonly position?: number
}

export interface Output {
  readonly parent: number
  readonly record: BridgeRecord
  /** The value as text; undefined for poison. */
  readonly value: string | null | undefined
  readonly key: string | null | undefined
  /** `reason: message` of a record that could not go on. */
  readonly poison: string | undefined
}

export const recordOf = ({
  key = 'k',
  value = '',
  headers = {},
  timestamp = 1_000,
  position = 7,
}: Given): BridgeRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: Object.entries(headers).map(([name, text]) => ({ name, value: Buffer.from(text) })),
  timestamp,
  position,
})

/** Values of Secrets by `name/key`. */
type Secrets = Readonly<Record<string, string>>

/** What a manifest's `decode`, `transforms` and `encode` make of records. Rejects where the schema refuses them. */
export async function transform(
  way: z.input<typeof schema>,
  given: readonly Given[],
  secrets: Secrets = {},
): Promise<readonly Output[]> {
  const parsed = schema.parse(way)
  const context = {
    clock: realClock,
    log: silentLogger,
    secret: async ({ name, key }: { readonly name: string; readonly key: string }) => {
      const text = secrets[`${name}/${key}`]
      if (text === undefined) throw new TypeError(`no Secret ${name}/${key} here`)
      return Buffer.from(text)
    },
  }
  const ends = { partition: 'orders/0', stream: 'orders', target: 'out' }
  let moving: readonly { readonly parent: number; readonly record: BridgeRecord }[] = given.map((one, parent) => ({
    parent,
    record: recordOf(one),
  }))
  for (const stage of stagesOpener(parsed, context)(ends)) {
    const records = moving.map(({ record }) => record)
    await stage.prepare?.(records, new AbortController().signal)
    const derived = stage.apply(records)
    const before = moving
    moving = derived.records.map((record, index) => ({
      parent: before[derived.parents?.[index] ?? index]?.parent ?? -1,
      record,
    }))
  }
  return moving.map(({ parent, record }) => {
    const { poison, key, value } = record
    const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString())
    return {
      parent,
      record,
      value: poison === undefined ? text(value) : undefined,
      key: poison === undefined ? text(key) : undefined,
      poison: poison === undefined ? undefined : `${poison.reason}: ${poison.message}`,
    }
  })
}

/** Of one record, which must become one. */
export async function transformOne(way: z.input<typeof schema>, given: Given, secrets?: Secrets): Promise<Output> {
  const [output, ...more] = await transform(way, [given], secrets)
  if (output === undefined || more.length > 0) throw new Error(`${more.length + (output ? 1 : 0)} records, not one`)
  return output
}
