/** Answers that are lost behind the storing: the sink cannot know what became of its request. */
import { eventually } from '../support/eventually.ts'
import type { End } from '../support/ends/end.ts'
import type { TcpProxy } from '../support/faults/tcp-proxy.ts'
import type { Tally } from '../support/tally.ts'
import { testRun } from '../support/verifier.ts'
import type { Way } from '../support/way.ts'
import { allArrived, startCollector } from './collector.ts'
import { type Direction, direction } from './direction.ts'
import { startFleet } from './fleet.ts'

/** A stream whose bridge reaches it through a proxy, one record per request and one request at a time where that can be said. */
export interface ProxiedEnd {
  readonly end: End
  readonly proxy: TcpProxy
}

export interface AmbiguousResult {
  readonly tally: Tally
  /** Requests that were stored and not answered. */
  readonly injections: number
}

const delivery = { commitInterval: '500ms', drainTimeout: '60s' }

/** Records sent for each lost answer. */
const perInjection = 100

export async function loseAnswers(
  from: Promise<End>,
  to: Promise<ProxiedEnd>,
  wanted: number,
  way?: Way,
): Promise<AmbiguousResult> {
  const { end, proxy } = await to
  await using pair: Direction = await direction(from, Promise.resolve(end))
  const run = testRun({ run: pair.from.stream, keys: 16, marked: pair.headers, bytes: 400, ...(way && { way }) })
  const collector = startCollector(pair, run)
  try {
    await using fleet = await startFleet({ direction: pair, replicas: 1, delivery, way })
    for (let injection = 0; injection < wanted; injection++) {
      await allArrived(run)
      const before = proxy.cuts
      // More than a heartbeat or an acknowledgement, so that it is the answer to a record.
      proxy.fault({ loseAnswerAfter: 300 })
      await pair.from.send(run.take(perInjection))
      await eventually('an answer is lost', () => proxy.cuts > before, undefined, { every: 2, within: 60_000 })
      proxy.fault()
    }
    await allArrived(run)
    await collector.settle()
    await fleet.stop()
    await collector.settle()
    return { tally: run.tally(), injections: proxy.cuts }
  } finally {
    await collector.stop()
    await proxy.stop()
  }
}
