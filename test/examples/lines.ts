/** Records as JSON lines, as the console and the file have them. */
import { existsSync, readFileSync } from 'node:fs'
import type { End } from '../support/ends/end.ts'
import { markHeader } from '../support/ends/end.ts'
import type { RunningBridge } from '../support/run-bridge.ts'

export interface Line {
  readonly id: string
  readonly key: string | null
  readonly value: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

/** The whole lines of a text that are records. */
export const recordsIn = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{"id":'))
    .map((line) => JSON.parse(line) as Line)

/** Hands over what is new in a text that grows. */
function growing(text: () => string): Pick<End, 'collect'> {
  let seen = 0
  return {
    collect(run) {
      for (const { key, value, headers } of recordsIn(text()).slice(seen)) {
        run.arrived(key, value, headers.find(({ name }) => name === markHeader)?.value)
        seen++
      }
      return Promise.resolve()
    },
  }
}

/** What a bridge prints. */
export const consoleOf = (bridge: RunningBridge): Pick<End, 'collect'> => growing(() => bridge.output())

export const fileOf = (path: string): Pick<End, 'collect'> =>
  growing(() => (existsSync(path) ? readFileSync(path, 'utf8') : ''))
