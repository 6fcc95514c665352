/** The suite every connector runs against its real server. CONTRACT.md has the rules in words. */
import { suite, test } from 'node:test'
import type { ConnectorHarness } from './harness.ts'
import { neverAsIfNew, oneStreamOnly } from './history-rules.ts'
import { keepsTheRate } from './pace-rule.ts'
import { type Rule, sinkRules, type SourceRule, sourceRules } from './rules.ts'
import { sinkTests } from './sink-rules.ts'
import { movingTests } from './source-rules.ts'
import { handsOnWhatCannotBeRead } from './unreadable-rule.ts'

type Tests = Readonly<Record<string, (harness: ConnectorHarness) => Promise<void>>>

const sourceTests: Tests & Readonly<Record<SourceRule, unknown>> = {
  ...movingTests,
  S14: oneStreamOnly,
  S15: neverAsIfNew,
  S16: handsOnWhatCannotBeRead,
  S17: keepsTheRate,
}

/** Registers a test per rule; an exception is skipped with its reason. */
export function connectorSuite(harness: ConnectorHarness): void {
  const { connector, exceptions } = harness
  const register = (role: string, rules: Readonly<Partial<Record<Rule, string>>>, tests: Tests): void =>
    void suite(`${connector.name} ${role}`, { concurrency: 4 }, () => {
      for (const [rule, promise] of Object.entries(rules)) {
        const reason = exceptions[rule as Rule]
        const options = reason === undefined ? {} : { skip: reason }
        test(`${rule}: ${promise}`, options, () => tests[rule]?.(harness))
      }
    })
  if (connector.source !== undefined) register('source', sourceRules, sourceTests)
  if (connector.sink !== undefined) register('sink', sinkRules, sinkTests)
}
