/** The replicas of one bridge, as processes that are stopped and replaced. */
import { join } from 'node:path'
import { type RuntimeOptions, type RuntimeProcess, startRuntime } from '../support/runtime-process.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import type { Way } from '../support/way.ts'
import type { Direction } from './direction.ts'

type Exit = number | NodeJS.Signals

export interface Fleet extends AsyncDisposable {
  readonly runtimes: readonly RuntimeProcess[]
  /** Folder of the leases. */
  readonly leases: string
  /** Starts replicas, or tells the youngest to stop. Resolves with how those ended. */
  scale(replicas: number): Promise<readonly Exit[]>
  /** Stops one and starts the next in its place. Resolves with how it ended. */
  replace(at: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<Exit>
  /** Tells all to stop. */
  stop(): Promise<readonly Exit[]>
}

export interface FleetOptions {
  readonly direction: Direction
  readonly replicas: number
  readonly delivery: RuntimeOptions['bridge']['delivery']
  /** What happens on the way. Default: nothing. */
  readonly way?: Way | undefined
}

/** Replicas are named in the order they start. What still runs at the end is killed. */
export async function startFleet({ direction, replicas, delivery, way }: FleetOptions): Promise<Fleet> {
  const leases = join(temporaryDirectory('leases'), 'leases')
  let started = 0
  const start = (): Promise<RuntimeProcess> =>
    startRuntime({
      bridge: {
        name: direction.from.stream,
        source: direction.from.hastySource,
        sink: direction.to.sink,
        delivery,
        ...way?.spec,
      },
      secrets: { ...direction.from.secrets, ...direction.to.secrets },
      leases,
      replica: `replica-${started++}`,
    })
  const runtimes = await Promise.all(Array.from({ length: replicas }, start))
  return {
    runtimes,
    leases,
    async scale(wanted) {
      const more = Array.from({ length: Math.max(0, wanted - runtimes.length) }, start)
      runtimes.push(...(await Promise.all(more)))
      return Promise.all(runtimes.splice(wanted).map((runtime) => runtime.stop(60_000)))
    },
    async replace(at, signal) {
      const runtime = runtimes[at]
      if (runtime === undefined) throw new RangeError(`no replica ${at}`)
      runtime.signal(signal)
      const exit = await runtime.exited()
      runtimes[at] = await start()
      return exit
    },
    stop: () => Promise.all(runtimes.splice(0).map((runtime) => runtime.stop(60_000))),
    async [Symbol.asyncDispose]() {
      await Promise.all(runtimes.map((runtime) => runtime.kill()))
    },
  }
}
