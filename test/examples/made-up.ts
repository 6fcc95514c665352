/** Examples whose records are made up by the generator. */
import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import type { TestContext } from 'node:test'
import { openEnd } from '../support/ends/brokers.ts'
import { eventually } from '../support/eventually.ts'
import { testRun } from '../support/verifier.ts'
import { addressOf, type Example, pointedAt, secretsOf } from './example.ts'
import { recordsIn } from './lines.ts'
import { bridgeOf, stopped, type Trial } from './stage.ts'

const accessLogLine = /^\S+ - - \[[^\]]+\] "[A-Z]+ \S+ HTTP\/[0-9.]+" [0-9]{3} ([0-9]+|-) "[^"]*" "[^"]*"$/

/** Web access-log lines on standard output. */
export const printed: Trial = async (t, example) => {
  const bridge = await bridgeOf(t, example.manifests)()
  const lines = await eventually(
    'lines are printed',
    () => recordsIn(bridge.output()),
    ({ length }) => length >= 20,
  )
  await stopped(bridge)
  for (const { value } of lines) assert.match(value, accessLogLine)
}

/** Errors of a web server's log, each with its fields and the time of its line. */
export const onlyErrors: Trial = async (t, example) => {
  const bridge = await bridgeOf(t, example.manifests)()
  const lines = await eventually(
    'errors are printed',
    () => recordsIn(bridge.output()),
    ({ length }) => length >= 10,
  )
  const { totals } = await bridge.report()
  await stopped(bridge)
  for (const { value } of lines) {
    const { status, path, time } = JSON.parse(value) as {
      readonly status: number
      readonly path: string
      readonly time: string
    }
    assert.ok(status >= 400 && path.startsWith('/') && !Number.isNaN(Date.parse(time)), value)
  }
  assert.ok(totals.filtered > 0)
}

/** The records of a new stream by their keys, once it has so many. */
async function loaded(t: TestContext, example: Example, count: number): Promise<Map<string, string[]>> {
  const stream = await openEnd('kinesis')
  t.after(() => stream[Symbol.asyncDispose]())
  const byKey = new Map<string, string[]>()
  let records = 0
  const reader = {
    ...testRun({ run: 'none', keys: 1 }),
    arrived: (key: string | null, value: Buffer | string | null) => {
      records++
      byKey.set(key ?? '', [...(byKey.get(key ?? '') ?? []), String(value)])
    },
  }
  const manifests = pointedAt(example, { sink: addressOf(stream, 'sink'), secrets: secretsOf([stream]) })
  const begin = performance.now()
  const bridge = await bridgeOf(t, manifests)()
  await eventually('the load flows', async () => (await bridge.report()).totals.out >= count)
  await stopped(bridge)
  await stream.collect(reader)
  const seconds = (performance.now() - begin) / 1000
  // A second's worth may come at once.
  assert.ok(records <= 500 * (seconds + 1), `${records} records in ${seconds} s`)
  return byKey
}

/** No more than 500 lines a second, of up to 1000 clients; the same seed makes the same records. */
export const repeatableLoad: Trial = async (t, example) => {
  const [first, second] = await Promise.all([loaded(t, example, 1_000), loaded(t, example, 1_000)])
  assert.ok(first.size > 500 && first.size <= 1_000, `${first.size} clients`)
  let compared = 0
  for (const [key, values] of first) {
    assert.ok(isIPv4(key), key)
    for (const value of values) assert.match(value, accessLogLine)
    const again = second.get(key) ?? []
    const common = Math.min(values.length, again.length)
    assert.deepEqual(values.slice(0, common), again.slice(0, common))
    compared += common
  }
  assert.ok(compared > 900, `${compared} records to compare`)
}
