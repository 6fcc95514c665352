/** What every example needs to be run: its bridge as a process, and a judge. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { End } from '../support/ends/end.ts'
import { eventually } from '../support/eventually.ts'
import { type Manifest, runBridge, type RunningBridge } from '../support/run-bridge.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { assertWhole, tallyLine } from '../support/tally.ts'
import type { TestRun } from '../support/verifier.ts'
import type { Example } from './example.ts'

/** How an example is run: to what its comment says. */
export type Trial = (t: TestContext, example: Example) => Promise<void>

/** Starts replicas of one bridge, which share what it knows. They are gone when the test ends. */
export function bridgeOf(t: TestContext, manifests: readonly Manifest[], env: NodeJS.ProcessEnv = {}) {
  const directory = join(temporaryDirectory('example'), 'run')
  return async (): Promise<RunningBridge> => {
    const bridge = await runBridge({ manifests, directory, env })
    t.after(() => bridge.kill())
    return bridge
  }
}

/** Ctrl-C. It must end in good order. */
export async function stopped(bridge: RunningBridge): Promise<void> {
  assert.equal(await bridge.stop(), 0, bridge.output())
}

/** Resolves when all that was sent is at the sink. */
export const allArrived = (run: TestRun, sink: Pick<End, 'collect'>): Promise<unknown> =>
  eventually(
    'all records arrive',
    async () => {
      await sink.collect(run)
      return { received: run.received, sent: run.sent }
    },
    ({ received, sent }) => received === sent,
    { within: 120_000, every: 200 },
  )

/** Each record once, in the order of its key, unchanged. */
export function assertCopied(t: TestContext, run: TestRun): void {
  t.diagnostic(`${t.name}: ${tallyLine(run.tally(), 0)}`)
  assertWhole(run.tally(), 0)
}
