/** Moves records through every bridge while everything that can happen to a bridge happens to it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { duplicateBound, type Tally } from '../support/tally.ts'
import { testRun, type TestRun } from '../support/verifier.ts'
import { edit, killOperator, killRuntimePod, rotateSecrets, scale, type Target } from './disturbances.ts'
import type { Flow, Traffic } from './flow.ts'
import { maxInFlightBytes, secretsOf, type Stage } from './stage.ts'
import { produce } from './traffic.ts'

export interface Outcome {
  readonly direction: string
  readonly target: Target
  readonly tally: Tally
  /** Most duplicates that the kill can cause. */
  readonly bound: number
}

interface Direction extends Traffic {
  readonly name: string
  readonly target: Target
  readonly run: TestRun
  /** Most records that arrived within one second. */
  peak: number
}

const bytes = 200
/** Records per second: slow while the bridges are disturbed, so that there is something to disturb. */
const calm = 4_000
const disturbed = 250

/** `log` hears what happens. Rejects when a disturbance does not come to its end. */
export async function moveThroughDisturbances(
  stage: Stage,
  records: number,
  log: (line: string) => void,
): Promise<Outcome[]> {
  const directions = await Promise.all(stage.flows.map(openDirection))
  const reading = new AbortController()
  const readers = directions.map((direction) => direction.read(reading.signal))
  const peaks = directions.map((direction) => watchPeak(direction, reading.signal))
  let rate = disturbed
  const producers = directions.map(({ run, send }) => produce(run, { records, rate: () => rate }, send))
  try {
    await disturb(stage, log)
    const early = directions.filter(({ run }) => run.sent >= records).map(({ name }) => name)
    if (early.length > 0) log(`warning: all records were sent before the last disturbance ended: ${early.join(', ')}`)
    rate = calm
    await Promise.all(producers)
    log('all records sent')
    await Promise.all(directions.map((direction) => untilQuiet(direction, records)))
  } finally {
    rate = Number.POSITIVE_INFINITY
    reading.abort()
    await Promise.allSettled([...producers, ...readers, ...peaks])
    await Promise.all(directions.map(({ close }) => close()))
  }
  return directions.map(({ name, target, run, peak }) => ({
    direction: name,
    target,
    tally: run.tally(),
    bound: bound(peak),
  }))
}

async function openDirection({ name, target, headers, open }: Flow): Promise<Direction> {
  const run = testRun({ run: `${target.bridge}-${Date.now()}`, keys: 256, bytes, marked: headers })
  return { name, target, run, ...(await open(run)), peak: 0 }
}

async function disturb(stage: Stage, log: (line: string) => void): Promise<void> {
  const began = performance.now()
  const step = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    await act()
    log(`${((performance.now() - began) / 1000).toFixed(0)} s: ${what}`)
  }
  const eachBridge = (act: (target: Target) => Promise<void>) => () =>
    Promise.all(stage.flows.map(({ target }) => act(target)))
  await sleep(5_000)
  await step('killed a runtime pod of each bridge', eachBridge(killRuntimePod))
  await step('killed the operator', killOperator)
  await step('changed credentials in the brokers and in the Secrets', async () => {
    const flows = (await Promise.all(stage.pairs.map((pair) => pair.rotate()))).flat()
    await Promise.all(flows.map(async (flow) => rotateSecrets(flow.target, await secretsOf(flow))))
  })
  await step(
    'scaled to 3',
    eachBridge((target) => scale(target, 3)),
  )
  await step(
    'edited every bridge',
    eachBridge((target) => edit(target, { spec: { delivery: { commitInterval: '500ms' } } })),
  )
  await step(
    'scaled to 1',
    eachBridge((target) => scale(target, 1)),
  )
}

async function watchPeak(direction: Direction, signal: AbortSignal): Promise<void> {
  let before = 0
  while (!signal.aborted) {
    await sleep(1_000, undefined, { signal }).catch(() => undefined)
    const { received } = direction.run
    direction.peak = Math.max(direction.peak, received - before)
    before = received
  }
}

/** Until every record arrived; then a little longer, for late duplicates. */
async function untilQuiet({ name, run }: Direction, records: number): Promise<void> {
  await eventually(
    `${name}: ${records} records arrive`,
    () => run.received,
    (received) => received >= records,
    {
      within: 180_000,
      every: 500,
    },
  ).catch(() => undefined)
  await sleep(5_000)
}

/** One kill of a replica per direction; a commit a second, and it takes a second at most. */
const bound = (recordsPerSecond: number): number =>
  duplicateBound({
    kills: 1,
    recordsPerSecond,
    commitInterval: 2_000,
    inFlight: Math.ceil(maxInFlightBytes / bytes),
  })

/** Records in flight when the drain of a stopping replica reached its deadline: they are delivered again by another one. */
export function givenUp({ namespace, bridge }: Target, logs: ReadonlyMap<string, string>): number {
  const lines = [...logs]
    .filter(([file]) => file.startsWith(`${namespace}_${bridge}-`))
    .flatMap(([, text]) => text.split('\n'))
    .filter((line) => line.includes('"message":"stopped"'))
  return lines.reduce((sum, line) => sum + (JSON.parse(line) as { givenUp: number }).givenUp, 0)
}
