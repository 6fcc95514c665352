/** Rules of a spec that follow from what its connectors say of themselves: this file knows none of them. */
import { catalog } from '../../bridge-runtime/connectors/catalog.ts'
import type { ConnectorDefinition } from '../../bridge-runtime/connectors/define-connector.ts'
import type { Rule } from '../kit/rules.ts'

const definitions: readonly ConnectorDefinition[] = Object.values(catalog)

interface Spec {
  readonly delivery: { readonly ordering: string }
  readonly sink: Readonly<Record<string, unknown>>
}

/** Sinks that can keep the order of a whole partition. */
const keepers = definitions.flatMap(({ name, sink }) =>
  sink?.keepsPartitions === undefined ? [] : [{ name, where: sink.keepsPartitions }],
)

const either = (words: readonly string[]): string => [words.slice(0, -1).join(', '), words.at(-1)].join(' or ')

export const partitionsAreKept: Rule<Spec> = {
  cel: [
    "self.delivery.ordering != 'PerPartition'",
    ...keepers.map(({ name, where }) =>
      where === true
        ? `has(self.sink.${name})`
        : `(has(self.sink.${name}) && self.sink.${name}.${where.field} == '${where.value}')`,
    ),
  ].join(' || '),
  message: `delivery.ordering PerPartition needs a sink that keeps a partition together: ${either(
    keepers.map(({ name, where }) => (where === true ? name : `${name} with ${where.field} ${where.value}`)),
  )}`,
  holds: ({ delivery, sink }) =>
    delivery.ordering !== 'PerPartition' ||
    keepers.some(({ name, where }) => {
      const config = sink[name] as Readonly<Record<string, unknown>> | undefined
      return config !== undefined && (where === true || config[where.field] === where.value)
    }),
}

/** A transition rule for each field that says where positions are kept. */
export const positionsAreKept: readonly Rule<unknown>[] = definitions.flatMap(({ name, source }) =>
  (source?.positionFields ?? []).map((field) => {
    const text = (object: string): string => `(has(${object}.${field}) ? ${object}.${field} : '')`
    const [now, before] = [`self.source.${name}`, `oldSelf.source.${name}`]
    return {
      cel: `!has(${now}) || !has(${before}) || self.lifecycle.desiredState == 'Paused' || ${text(now)} == ${text(before)}`,
      message: `source.${name}.${field} holds the position: set lifecycle.desiredState to Paused before you change it`,
    }
  }),
)
