/** The vendor's SDK, as the emulator's tests use it. */
import {
  earliestEventPosition,
  EventHubConsumerClient,
  EventHubProducerClient,
  type EventPosition,
  type ReceivedEventData,
  RetryMode,
  type RetryOptions,
  type SubscribeOptions,
} from '@azure/event-hubs'
import { eventually } from './eventually.ts'

/**
 * A receiver that attaches again forgets to stop the timer that renews its former token, which would keep the test's process
 * for 45 minutes. No other timer here is as long.
 */
const { setTimeout: original } = globalThis
globalThis.setTimeout = Object.assign((...given: Parameters<typeof original>) => {
  const timer = original(...given)
  if ((given[1] ?? 0) > 40 * 60_000) timer.unref()
  return timer
}, original)

/** The SDK's own wait for 30 s between attempts. */
export const retryOptions = {
  mode: RetryMode.Exponential,
  retryDelayInMs: 50,
  maxRetryDelayInMs: 500,
  maxRetries: 10,
  timeoutInMs: 10_000,
}

export const producerOf = (
  connectionString: string,
  options: RetryOptions = {},
): EventHubProducerClient & AsyncDisposable =>
  disposable(new EventHubProducerClient(connectionString, { retryOptions: { ...retryOptions, ...options } }))

export const consumerOf = (connectionString: string, group = '$Default'): EventHubConsumerClient & AsyncDisposable =>
  disposable(new EventHubConsumerClient(group, connectionString, { retryOptions }))

function disposable<T extends { close(): Promise<void> }>(client: T): T & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

/** The first cause of a failure: attempts are nested, and each level collects the errors of the one below. */
export function firstCause(error: unknown): Error & { code?: string } {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  return first === undefined ? (error as Error) : firstCause(first)
}

export interface Reading extends AsyncDisposable {
  readonly events: readonly ReceivedEventData[]
  readonly errors: readonly (Error & { code?: string })[]
  /** Resolves with the first events when there are so many. */
  atLeast(count: number): Promise<readonly ReceivedEventData[]>
  close(): Promise<void>
}

export interface ReadOptions extends SubscribeOptions {
  readonly partition: string
  /** Default: the first event. */
  readonly from?: EventPosition
}

/** Reads one partition, from its first event on unless told. */
export function read(consumer: EventHubConsumerClient, { partition, from, ...options }: ReadOptions): Reading {
  const events: ReceivedEventData[] = []
  const errors: Error[] = []
  const subscription = consumer.subscribe(
    partition,
    {
      processEvents: async (received) => void events.push(...received),
      processError: async (error) => void errors.push(error),
    },
    {
      startPosition: from ?? earliestEventPosition,
      maxBatchSize: 100,
      maxWaitTimeInSeconds: 1,
      skipParsingBodyAsJson: true,
      ...options,
    },
  )
  const close = (): Promise<void> => subscription.close()
  return {
    events,
    errors,
    atLeast: (count) =>
      eventually(
        `${count} events`,
        () => events,
        ({ length }) => length >= count,
      ),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The first `count` events of a partition from the position on. */
export async function readFirst(
  connectionString: string,
  count: number,
  options: ReadOptions,
): Promise<ReceivedEventData[]> {
  await using consumer = consumerOf(connectionString)
  await using reading = read(consumer, options)
  return (await reading.atLeast(count)).slice(0, count)
}
