/** One bridge over its lives: what it remembers and what it wrote outlive each. It writes to a file, which is counted as text. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type RuntimeProcess, startRuntime } from '../support/runtime-process.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { uniqueName } from '../support/shared-servers.ts'
import type { World } from './worlds/world.ts'

export interface Decisions {
  readonly onDataGap?: 'Continue'
  readonly reset?: string
  /** Milliseconds by which its machine's clock is off. */
  readonly clockOff?: number
}

export interface TrialBridge {
  readonly name: string
  readonly leases: string
  /** Starts it, stopping its life before. */
  start(source: object, decisions?: Decisions): Promise<void>
  /** As a pod is stopped: it finishes what it has begun. */
  stop(): Promise<void>
  /** Values that arrived, in their order, each as often as it did. */
  arrived(): readonly string[]
  /** What it says of itself that waits for a person; undefined where it says that all is well. */
  told(): Promise<string | undefined>
  /** True when it says that its stream is not there. */
  misses(): Promise<boolean>
  /** True when it says that records flow. */
  well(): Promise<boolean>
}

const shiftClock = join(import.meta.dirname, 'shift-clock.ts')
/** What a bridge may say when records are missing. */
const namesAGap = new Set(['DataGap', 'TopicDeleted'])

export function trialBridge(t: TestContext, world: World): TrialBridge {
  const folder = temporaryDirectory('trial')
  const [path, leases, name] = [join(folder, 'out.jsonl'), join(folder, 'leases'), uniqueName('trial')]
  let running: RuntimeProcess | undefined
  const stop = async (): Promise<void> => {
    await running?.stop()
    running = undefined
  }
  t.after(stop)
  return {
    name,
    leases,
    stop,
    async start(source, { onDataGap, reset, clockOff } = {}) {
      await stop()
      running = await startRuntime({
        bridge: {
          name,
          source,
          sink: { file: { path } },
          delivery: { drainTimeout: '5s', commitInterval: '200ms', ...(onDataGap === undefined ? {} : { onDataGap }) },
          ...(reset === undefined ? {} : { reset }),
        },
        secrets: world.secrets,
        leases,
        ready: false,
        ...(clockOff === undefined
          ? {}
          : { nodeArgs: ['--import', shiftClock], env: { STREAMBRIDGE_TEST_CLOCK_OFF: String(clockOff) } }),
      })
    },
    arrived: () => (existsSync(path) ? valuesIn(readFileSync(path, 'utf8')) : []),
    async told() {
      const report = await running?.report()
      const halted = report?.partitions.flatMap(({ halted }) => (halted === undefined ? [] : [halted])) ?? []
      return [...(report?.errors ?? []), ...halted].find(({ reason }) => namesAGap.has(reason))?.message
    },
    async misses() {
      const report = await running?.report()
      return (
        report?.errors.some(({ component, reason }) => component === 'source' && reason.endsWith('NotFound')) === true
      )
    },
    async well() {
      const report = await running?.report()
      return (
        report?.source.connected === true &&
        report.errors.length === 0 &&
        report.partitions.every(({ halted }) => halted === undefined)
      )
    },
  }
}

const valuesIn = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => String((JSON.parse(line) as { readonly value: unknown }).value))

export const missing = (bridge: TrialBridge, values: readonly string[]): string[] => {
  const arrived = new Set(bridge.arrived())
  return values.filter((value) => !arrived.has(value))
}

/** Resolves when all values have arrived. */
export const arrival = (bridge: TrialBridge, values: readonly string[]): Promise<unknown> =>
  eventually(
    'every record',
    () => missing(bridge, values),
    (left) => left.length === 0,
    { within: 60_000 },
  )
