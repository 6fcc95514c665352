import { z } from 'zod'
import { type Rule, withRules } from '../../crds/kit/rules.ts'
import { compilePattern, PatternError } from './pattern.ts'

function isPattern(text: string): boolean {
  try {
    compilePattern(text)
    return true
  } catch (error) {
    if (error instanceof PatternError) return false
    throw error
  }
}

const isRe2: Rule<string> = {
  // An expression that RE2 cannot compile makes the rule fail, in RE2's own words.
  cel: "[''.matches(self)].size() == 1",
  message: 'write a regular expression of RE2: no look-ahead, no look-behind, no back-references',
  holds: isPattern,
}

const hasNames: Rule<string> = {
  cel: "self.contains('(?P<') || self.contains('(?<')",
  message: 'name what is to be kept: (?P<name>…)',
  holds: (text) => text.includes('(?P<') || text.includes('(?<'),
}

/** A field that holds an expression with named groups. */
export const namedPattern = withRules(z.string().min(1).max(1024), [isRe2, hasNames])
