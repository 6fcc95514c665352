/** Which stream it is that has the name. */
import type { Clock } from '../../../core/clock.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { FoundStream } from '../../../history/content.ts'
import type { KinesisApi, StreamSummary } from '../connection.ts'

export const streamName = (api: Pick<KinesisApi, 'stream'>): string => `stream ${api.stream}`

/** One that is made again has the ARN of the one before, and another time of creation. */
export const streamOf = (api: Pick<KinesisApi, 'stream'>, { arn, created }: StreamSummary): FoundStream => ({
  name: streamName(api),
  birth: created === undefined ? undefined : `${arn}, created ${created.toISOString()}`,
})

/** Milliseconds between two looks of one replica: the account's limit of 20 a second is for all of its consumers. */
const pause = 250

/**
 * Looks which stream it is, once for all who ask at the same moment: each answer is of a look that began after the question.
 * *Errors*: as the service says.
 */
export function streamLook(api: KinesisApi, clock: Clock): () => Promise<FoundStream> {
  let flying: Promise<unknown> = Promise.resolve()
  let next: Promise<FoundStream> | undefined
  let lastAt = Number.NEGATIVE_INFINITY
  const look = async (): Promise<FoundStream> => {
    await flying.catch(() => undefined)
    const wait = lastAt + pause - clock.monotonic()
    if (wait > 0) await clock.sleep(wait)
    lastAt = clock.monotonic()
    if (next !== undefined) flying = next
    next = undefined
    return streamOf(api, await api.describe())
  }
  return () => {
    next ??= look()
    return next
  }
}

/** Milliseconds of the service's whole second. */
const second = 1_000

/**
 * `Latest`, by the service's clock alone: the beginning of its next second, once that has come. So what is put after this resolves is
 * read, and what was put before it was asked is not.
 */
export async function serviceTime(api: KinesisApi, clock: Clock, signal: AbortSignal): Promise<string> {
  const { at } = await api.describe(signal)
  if (at === undefined)
    throw new BridgeError(
      `kinesis:DescribeStreamSummary on stream ${api.stream}: the answer has no Date, so nobody can say what Latest is`,
      { kind: 'retryable', reason: 'ServiceUnavailable' },
    )
  await clock.sleep(second, signal)
  return new Date(at + second).toISOString()
}
