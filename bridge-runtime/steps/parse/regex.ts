import { compilePattern } from '../../regex/pattern.ts'
import { Unfit } from '../../values/unfit.ts'
import { setOwn, type ValueObject } from '../../values/value.ts'

/** The named groups of the first match; null for one that took no part. */
export function regex(text: string): (subject: string) => ValueObject {
  const pattern = compilePattern(text)
  const names = Object.entries(pattern.names)
  return (subject) => {
    const match = pattern.exec(subject)
    if (match === null) throw new Unfit('ParseMismatch', 'the expression matches nowhere')
    const fields: ValueObject = {}
    for (const [name, index] of names) setOwn(fields, name, match[index] ?? null)
    return fields
  }
}
