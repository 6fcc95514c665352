/**
 * What happens to streams and positions while a bridge has read them. The rule of every trial: each record arrives, or the
 * bridge says what is missing and goes on saying so until a person decides; then all that the service still holds arrives.
 */
import { after, suite, type TestContext, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { uniqueName } from '../support/shared-servers.ts'
import { arrival, missing, type TrialBridge, trialBridge } from './bridge.ts'
import type { Start, World } from './worlds/world.ts'

const values = (of: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${of}${index}`)

interface Trial {
  readonly world: World
  readonly bridge: TrialBridge
  readonly stream: string
  readonly start: Start
}

/** A bridge that has read ten records and stored its position. */
async function underWay(trial: Trial, partitions = 1): Promise<void> {
  const { world, bridge, stream, start } = trial
  await world.create(stream, partitions)
  await bridge.start(world.source(stream, start))
  await eventually('the bridge', () => bridge.well(), undefined, { within: 60_000 })
  await world.send(stream, values('a', 10))
  await arrival(bridge, values('a', 10))
}

/** @param source of the stream that is to be read now, and the records that it holds */
async function judge(trial: Trial, source: object, stream: string, sent: readonly string[]): Promise<void> {
  const { world, bridge } = trial
  const told = await eventually(
    'the records, or a word on what is missing',
    async () => (missing(bridge, sent).length === 0 ? 'whole' : await bridge.told()),
    undefined,
    { within: 60_000 },
  )
  if (told === 'whole') return
  const more = values('more', 30)
  await world.send(stream, more).catch((thrown: unknown) => {
    // Where the gap is that nothing is there to hold records.
    if (world.unreachable === undefined) throw thrown
  })
  await bridge.start(source)
  await eventually('the same after a restart', () => bridge.told(), undefined, { within: 60_000 })
  await bridge.start(source, { onDataGap: 'Continue' })
  if (world.unreachable === undefined) return void (await arrival(bridge, [...sent, ...more]))
  await eventually('a bridge that goes on', async () => (await bridge.well()) || (await bridge.told()) === undefined)
}

/** A stop; then the stream is made again, with other records, before the next start. */
async function remadeWhileStopped(trial: Trial, sent: readonly string[]): Promise<void> {
  const { world, bridge, stream, start } = trial
  await bridge.stop()
  await world.remove(stream)
  await world.create(stream, 1)
  await world.send(stream, sent)
  await bridge.start(world.source(stream, start))
  await judge(trial, world.source(stream, start), stream, sent)
}

type Run = (trial: Trial) => Promise<void>

const trials: Readonly<Record<string, Run>> = {
  'made again while it runs': async (trial) => {
    const { world, stream, start } = trial
    await underWay(trial)
    await world.remove(stream)
    await world.create(stream, 1)
    await world.send(stream, values('b', 25))
    await judge(trial, world.source(stream, start), stream, values('b', 25))
  },
  'made again while it is stopped': async (trial) => {
    await underWay(trial)
    await remadeWhileStopped(trial, values('b', 25))
  },
  'made again with fewer records, which then grow beyond the position': async (trial) => {
    await underWay(trial)
    await remadeWhileStopped(trial, values('b', 5))
  },
  'split or grown, then made again': async (trial) => {
    const { world, bridge, stream } = trial
    if (world.grow === undefined) await underWay(trial, 3)
    else {
      await underWay(trial)
      await world.grow(stream)
      await world.send(stream, values('c', 10))
      await arrival(bridge, values('c', 10))
    }
    await remadeWhileStopped(trial, values('b', 25))
  },
  'split with nothing more put, then made again': async (trial) => {
    const { world, stream } = trial
    await underWay(trial)
    await world.grow?.(stream)
    await remadeWhileStopped(trial, values('b', 25))
  },
  'another one in the manifest': async (trial) => {
    const { world, bridge, start } = trial
    await underWay(trial)
    const other = uniqueName('other')
    await world.create(other, 1)
    await world.send(other, values('b', 25))
    await bridge.start(world.source(other, start))
    await judge(trial, world.source(other, start), other, values('b', 25))
  },
  'its position lost while it is stopped': async (trial) => {
    const { world, bridge, stream, start } = trial
    await underWay(trial)
    await world.send(stream, values('b', 10))
    await arrival(bridge, values('b', 10))
    await bridge.stop()
    await world.send(stream, values('c', 25))
    await world.losePosition(bridge, stream)
    await bridge.start(world.source(stream, start))
    await judge(trial, world.source(stream, start), stream, values('c', 25))
  },
  'grown while it is away': async (trial) => {
    const { world, bridge, stream, start } = trial
    await underWay(trial)
    await bridge.stop()
    await world.grow?.(stream)
    await world.send(stream, values('b', 30))
    await bridge.start(world.source(stream, start))
    await arrival(bridge, values('b', 30))
  },
  'made later than the bridge': async (trial) => {
    const { world, bridge, stream, start } = trial
    await bridge.start(world.source(stream, start))
    await eventually('a bridge that misses it', () => bridge.misses())
    await world.create(stream, 1)
    await world.send(stream, values('a', 30))
    await arrival(bridge, values('a', 30))
  },
}

for (const minutes of [10, -10])
  Object.assign(trials, {
    [`read by a clock that is ${minutes} minutes off`]: async ({ world, bridge, stream, start }: Trial) => {
      const clockOff = minutes * 60_000
      await world.create(stream, 1)
      await bridge.start(world.source(stream, start), { clockOff })
      await eventually('the bridge', () => bridge.well(), undefined, { within: 60_000 })
      await world.send(stream, values('a', 10))
      await arrival(bridge, values('a', 10))
      await bridge.stop()
      await world.send(stream, values('b', 10))
      await bridge.start(world.source(stream, start), { clockOff })
      await arrival(bridge, values('b', 10))
    },
  })

export interface TrialOptions {
  /** Those that the source knows. Default: both. */
  readonly starts?: readonly Start[]
  /** What cannot be tried with this source, by trial, with the reason. */
  readonly exceptions?: Readonly<Record<string, string>>
}

/** Registers every trial with every start position; an exception is skipped with its reason. */
export function runTrials(open: () => Promise<World>, options: TrialOptions = {}): void {
  const { starts = ['Earliest', 'Latest'], exceptions = {} } = options
  let opened: Promise<World> | undefined
  suite('a stream', { concurrency: 3 }, () => {
    for (const [name, run] of Object.entries(trials))
      for (const start of starts) {
        const skip = exceptions[name]
        const promise = `${name} (${start}): every record arrives, or what is missing is told and stays told`
        test(promise, skip === undefined ? {} : { skip }, async (t: TestContext) => {
          const world = await (opened ??= open())
          await run({ world, bridge: trialBridge(t, world), stream: uniqueName('trial'), start })
        })
      }
    after(async () => (await opened)?.[Symbol.asyncDispose]())
  })
}
