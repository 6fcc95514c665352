/**
 * Regular expressions of people: RE2 syntax, RE2's meaning, and no text that takes more than linear time. Native where that is
 * provably the same, re2js otherwise.
 */
import { RE2JS } from 're2js'
import { linearRegExp } from './linear.ts'
import { translate } from './translate.ts'

/** The first match: all of it, then the groups in order; undefined for one that took no part. */
export type Match = readonly (string | undefined)[]

export interface Pattern {
  /** Index in a match by the name of a group. */
  readonly names: Readonly<Record<string, number>>
  readonly groups: number
  /** Matched by V8 and not by re2js. */
  readonly native: boolean
  exec(text: string): Match | null
}

/** What is wrong with an expression: RE2's own words. */
export class PatternError extends Error {}

const compiled = new Map<string, Pattern>()
/** Manifests name a few; a process that checks many does not keep them. */
const mostCompiled = 1_000

/** Throws a PatternError. The same expression is compiled once. */
export function compilePattern(text: string): Pattern {
  const known = compiled.get(text)
  if (known !== undefined) return known
  const made = make(text)
  if (compiled.size >= mostCompiled) compiled.clear()
  compiled.set(text, made)
  return made
}

function make(text: string): Pattern {
  const re2 = re2Of(text)
  const source = translate(text)
  const native = source === undefined ? undefined : linearRegExp(source)
  const slow = (subject: string): Match | null => re2.exec(subject)?.map((group) => group ?? undefined) ?? null
  return {
    names: re2.namedGroups(),
    groups: re2.groupCount(),
    native: native !== undefined,
    exec: native === undefined ? slow : (subject) => fast(native, subject, slow),
  }
}

function re2Of(text: string): RE2JS {
  try {
    return RE2JS.compile(text)
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : 'it is no expression of RE2')
  }
}

/** A character of two units is one to RE2, and two to V8. */
const twoUnits = /[\ud800-\udfff]/

function fast(native: RegExp, subject: string, slow: (subject: string) => Match | null): Match | null {
  if (twoUnits.test(subject)) return slow(subject)
  try {
    return native.exec(subject)
  } catch {
    // V8's stack of places to go back to has a limit.
    return slow(subject)
  }
}
