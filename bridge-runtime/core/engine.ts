import { backoff } from './backoff.ts'
import type { AppendSink, PartitionReader, Sink, SourceHost } from './contracts.ts'
import { tooSmallForDeadLetters } from './delivery/dead-letter-record.ts'
import { timed } from './delivery/timed.ts'
import type { EngineOptions } from './engine-options.ts'
import { asBridgeError } from './errors.ts'
import { type Component, ErrorTracker } from './health/error-tracker.ts'
import { Statistics } from './health/statistics.ts'
import { StallDetector } from './stall-detector.ts'
import { MemoryBudget } from './intake/memory-budget.ts'
import { RateLimit } from './intake/rate-limit.ts'
import { RateLimitedReader } from './intake/rate-limited.ts'
import { Pump } from './pump.ts'

export type { EngineOptions } from './engine-options.ts'

interface Sinks {
  readonly main: Sink | AppendSink
  readonly deadLetter: Sink | AppendSink | undefined
}

export type EngineState = 'starting' | 'running' | 'draining' | 'finished'

/** The share of the drain timeout that what is in flight may take: the rest is for a sink that slows down meanwhile. */
const drainShare = 0.2
/** Bytes that may be in flight before the sink's pace is known. */
const smallestWindow = 512 * 1024
/** Milliseconds between two looks at whether there is work. */
const sampleInterval = 1000

/**
 * One bridge in one process: opens source and sink and keeps them open, runs a pump per owned partition, commits, drains.
 *
 * *Guarantees*: never gives up on an error that may pass; never holds more than `maxInFlightBytes` plus one batch; after `run` resolves everything settled is committed and nothing runs any more.
 */
export class Engine {
  readonly statistics = new Statistics()
  readonly stalls = new StallDetector()
  readonly errors: ErrorTracker
  readonly #options: EngineOptions
  readonly #pumps = new Map<PartitionReader, Pump>()
  readonly #waiting = new Set<PartitionReader>()
  readonly #drainDeadline = new AbortController()
  readonly #rateLimit: RateLimit
  readonly #budget: MemoryBudget
  #sinks: Sinks | undefined
  #sourceConnected = false
  #partitions: number | undefined
  #state: EngineState = 'starting'
  #abandoned = 0
  /** Ends the source's run, with the reason, so that it is opened again at what is committed. */
  #readAgain = new AbortController()

  constructor(options: EngineOptions) {
    this.#options = options
    this.errors = new ErrorTracker(() => options.clock.now(), options.onChange)
    this.#rateLimit = new RateLimit(options.maxRecordsPerSecond, options.clock)
    this.#budget = new MemoryBudget(options.maxInFlightBytes, () => this.#pumps.values(), options.collect)
  }

  get state(): EngineState {
    return this.#state
  }

  get pumps(): readonly Pump[] {
    return [...this.#pumps.values()]
  }

  /** The source is reached and each partition that is owned can be read. */
  get sourceConnected(): boolean {
    return this.#sourceConnected && !this.errors.disconnected('source')
  }

  /** The sink is reached and takes what it can take. */
  get sinkConnected(): boolean {
    return this.#sinks !== undefined && !this.errors.disconnected('sink')
  }

  /** Partitions of the whole source; undefined when unknown or unbounded. */
  get partitions(): number | undefined {
    return this.#partitions
  }

  /** Records given up when a drain ran out of time; they are read again. */
  get abandoned(): number {
    return this.#abandoned
  }

  /**
   * Moves records until the signal aborts (then drains), or the source ends by itself.
   * Resolves when everything is closed. Does not reject for anything that a broker can do.
   */
  async run(signal: AbortSignal): Promise<void> {
    const done = new AbortController()
    const stopped = AbortSignal.any([signal, done.signal])
    signal.addEventListener('abort', () => this.#beginDrain(), { once: true })
    const housekeeping = [
      this.#every(this.#options.commitInterval, stopped, () => this.#commit()),
      this.#every(sampleInterval, stopped, () => this.#sample()),
    ]
    const sinks = this.#openSinks(stopped)
    await this.#runSource(signal)
    if (!signal.aborted) {
      this.#state = 'finished'
      this.#partitions = undefined
    }
    done.abort()
    this.#drainDeadline.abort()
    await Promise.all([...housekeeping, sinks])
    await Promise.all([this.#sinks?.main[Symbol.asyncDispose](), this.#sinks?.deadLetter?.[Symbol.asyncDispose]()])
  }

  async #openSinks(signal: AbortSignal): Promise<void> {
    const { openDeadLetterSink } = this.#options
    const [main, deadLetter] = await Promise.all([
      this.#keepTrying('sink', 'open', signal, () => this.#openSink(() => this.#options.openSink(), signal)),
      openDeadLetterSink === undefined
        ? undefined
        : this.#keepTrying('deadLetter', 'open', signal, () => this.#openSink(openDeadLetterSink, signal)),
    ])
    if (main === undefined || (deadLetter === undefined && openDeadLetterSink !== undefined)) return
    this.#sinks = { main, deadLetter }
    const notice = deadLetter === undefined ? undefined : tooSmallForDeadLetters(main.limits, deadLetter.limits)
    if (notice !== undefined) this.#options.onNotice(notice)
    if (this.#state === 'starting') this.#state = 'running'
    for (const reader of this.#waiting) this.#startPump(reader, this.#sinks)
    this.#waiting.clear()
  }

  async #openSink(open: () => Promise<Sink | AppendSink>, signal: AbortSignal): Promise<Sink | AppendSink> {
    const sink = await open()
    try {
      await sink.open(signal)
      return sink
    } catch (thrown) {
      await sink[Symbol.asyncDispose]()
      throw thrown
    }
  }

  async #runSource(signal: AbortSignal): Promise<void> {
    const finished = await this.#keepTrying('source', 'run', signal, async () => {
      await using source = await this.#options.openSource()
      const again = new AbortController()
      this.#readAgain = again
      try {
        await source.run(this.#host(), AbortSignal.any([signal, again.signal]))
        if (!signal.aborted) again.signal.throwIfAborted()
        return true
      } finally {
        this.#sourceConnected = false
        for (const reader of [...this.#pumps.keys(), ...this.#waiting]) await this.#revoked(reader, 'lost')
      }
    })
    if (finished === undefined) this.#sourceConnected = false
  }

  /** Repeats until it succeeds; undefined when the signal aborts first. */
  async #keepTrying<T>(
    component: Component,
    place: string,
    signal: AbortSignal,
    attempt: () => Promise<T>,
  ): Promise<T | undefined> {
    const { clock, random, backoff: settings } = this.#options
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const result = await attempt()
        this.errors.worked(component, place)
        return result
      } catch (thrown) {
        if (signal.aborted) return undefined
        this.errors.failed(component, place, asBridgeError(thrown))
        await clock.sleep(backoff(settings, failures, random), signal)
      }
    }
    return undefined
  }

  #host(): SourceHost {
    return {
      assigned: (reader) => {
        if (this.#sinks === undefined) this.#waiting.add(reader)
        else this.#startPump(reader, this.#sinks)
      },
      revoked: (reader, how) => this.#revoked(reader, how),
      connection: (error) => {
        this.#sourceConnected = error === undefined
        if (error !== undefined) return this.errors.failed('source', 'connection', error)
        this.errors.worked('source', 'connection')
        this.errors.worked('source', 'run')
      },
      waiting: (error) => {
        if (error === undefined) this.errors.worked('source', 'waiting')
        else this.errors.failed('source', 'waiting', error)
      },
      partitions: (total) => {
        this.#partitions = total
      },
      repeated: (records) => this.statistics.repeated(records),
    }
  }

  #startPump(reader: PartitionReader, sinks: Sinks): void {
    const { ordering, sinkLanes, origin, backoff: settings, commitInterval, clock, random, stages } = this.#options
    const limited =
      this.#options.maxRecordsPerSecond === Number.POSITIVE_INFINITY
        ? undefined
        : new RateLimitedReader(reader, this.#rateLimit)
    const pump = new Pump({
      reader: limited ?? reader,
      limited: () => limited?.limited ?? false,
      stages: stages(reader),
      sink: timed(sinks.main, clock, this.#options.onWrite),
      deadLetterSink: sinks.deadLetter,
      ordering,
      lanes: sinkLanes,
      origin,
      backoff: settings,
      clock,
      random,
      budget: this.#budget,
      commitInterval,
      share: () => this.#window() / Math.max(1, this.#pumps.size),
      statistics: this.statistics,
      errors: this.errors,
      lost: (error) => this.#readAgain.abort(error),
    })
    this.#pumps.set(reader, pump)
    pump.start()
  }

  /** Bytes that may be in flight: as many as a drain can finish, as the sink goes now. */
  #window(): number {
    const { maxInFlightBytes, drainTimeout, clock } = this.#options
    const perSecond = this.statistics.bytesAcceptedPerSecond(clock.monotonic())
    const drainable = perSecond * (drainTimeout / 1000) * drainShare
    return Math.min(maxInFlightBytes, Math.max(smallestWindow, drainable))
  }

  async #revoked(reader: PartitionReader, how: 'drain' | 'lost'): Promise<void> {
    this.#waiting.delete(reader)
    const pump = this.#pumps.get(reader)
    if (pump === undefined) return
    if (how === 'lost') pump.lose()
    else this.#abandoned += await pump.drain(this.#deadline())
    this.#pumps.delete(reader)
    this.#budget.changed()
  }

  /** One deadline for the whole shutdown; a revocation in between has one of its own. */
  #deadline(): AbortSignal {
    return this.#state === 'draining' ? this.#drainDeadline.signal : AbortSignal.timeout(this.#options.drainTimeout)
  }

  #beginDrain(): void {
    this.#state = 'draining'
    void this.#options.clock
      .sleep(this.#options.drainTimeout, this.#drainDeadline.signal)
      .then(() => this.#drainDeadline.abort())
  }

  /** Not awaited: a partition whose commit hangs must not hold up the others'. */
  #commit(): void {
    for (const pump of this.#pumps.values()) void pump.commit()
  }

  #sample(): void {
    const { pumps, statistics } = this
    const now = this.#options.clock.monotonic()
    const { out, deadLettered, filtered } = statistics.totals
    const busy = pumps.some((pump) => pump.busy)
    statistics.sample(busy, now)
    this.stalls.look(pumps, now, out + deadLettered + filtered)
  }

  async #every(interval: number, signal: AbortSignal, task: () => void): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(interval, signal)
      if (!signal.aborted) task()
    }
  }
}
