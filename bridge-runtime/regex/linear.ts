import { setFlagsFromString } from 'node:v8'

/** After 50,000 steps back V8 goes on with an engine that takes linear time, where an expression is fit for it. */
export const linearFlag = '--enable-experimental-regexp-engine-on-excessive-backtracks'

/** Refuses what cannot be run in linear time: nothing else uses it. */
const linear = 'l'

let isSet = false

/** A native expression that no text can hold up; undefined where V8 has no linear engine for it. */
export function linearRegExp(source: string): RegExp | undefined {
  if (!isSet) {
    setFlagsFromString(linearFlag)
    // Makes the flag `l` known.
    setFlagsFromString('--enable-experimental-regexp-engine')
    isSet = true
  }
  try {
    return new RegExp(source, linear) instanceof RegExp ? new RegExp(source) : undefined
  } catch {
    return undefined
  }
}
