import type { BridgeFile } from '../crds/schema/bridge-file.ts'
import { bytes, milliseconds } from '../crds/kit/units.ts'
import { sinkOf, sourceOf } from './connectors/catalog.ts'
import type { ConnectorContext, ReadSecret } from './connectors/define-connector.ts'
import { deadLetterWarning } from './connectors/record-sizes.ts'
import { type Clock, realClock } from './core/clock.ts'
import { Engine } from './core/engine.ts'
import { History } from './history/history.ts'
import type { LeaseStore } from './lease-stores/lease-store.ts'
import { stagesOpener } from './pipeline/compile.ts'
import type { Logger } from './observability/logger.ts'

export interface BridgeOptions {
  readonly file: BridgeFile
  readonly replica: string
  readonly secret: ReadSecret
  readonly leases: LeaseStore
  readonly log: Logger
  readonly onWrite: (milliseconds: number) => void
  readonly clock?: Clock
  /** Collects all garbage now. */
  readonly collect?: (() => void) | undefined
}

/** Wires a bridge file's connectors to an engine. Opens nothing yet: `engine.run` does. */
export function createBridge(options: BridgeOptions): Engine {
  const { file, log, clock = realClock } = options
  const { delivery } = file
  const source = sourceOf(file.source)
  const sink = sinkOf(file.sink)
  const deadLetter = delivery.deadLetter === undefined ? undefined : sinkOf(delivery.deadLetter)
  const warning = deadLetter && deadLetterWarning(source, deadLetter)
  if (warning !== undefined) log.warn(`${warning.path} ${warning.message}`, { component: 'deadLetter' })
  const { leases: store } = options
  const history = new History({ store, reset: file.reset, onDataGap: delivery.onDataGap })
  const context = (component: string, field: string): ConnectorContext => ({
    bridge: { namespace: file.namespace, name: file.name },
    field,
    replica: options.replica,
    secret: options.secret,
    leases: store,
    history,
    clock,
    log: log.with({ component }),
    onDataGap: delivery.onDataGap,
    // A source or a dead-letter sink that is slowed down says nothing of the sink's pace, which scaling goes by.
    throttled: () => {
      if (component === 'sink') engine.statistics.throttled(clock.monotonic())
    },
  })
  const streamName = source.definition.describe(source.config).name
  const targetOf = (stream: string): string =>
    sink.definition.targetOf?.(sink.config, stream) ?? sink.definition.describe(sink.config).name
  const stages = stagesOpener(file, { secret: options.secret, clock, log: log.with({ component: 'transform' }) })
  const engine = new Engine({
    openSource: () => source.definition.open(source.config, context('source', `spec.source.${source.type}`)),
    openSink: () => sink.definition.open(sink.config, context('sink', `spec.sink.${sink.type}`)),
    openDeadLetterSink:
      deadLetter &&
      (() =>
        deadLetter.definition.open(
          deadLetter.config,
          context('deadLetter', `spec.delivery.deadLetter.${deadLetter.type}`),
        )),
    stages: ({ partition, stream = streamName }) => stages({ partition, stream, target: targetOf(stream) }),
    sinkLanes: sink.definition.lanes,
    origin: `${source.type}/${streamName}`,
    ordering: delivery.ordering,
    backoff: { initial: milliseconds(delivery.retry.initialBackoff), max: milliseconds(delivery.retry.maxBackoff) },
    maxInFlightBytes: bytes(delivery.maxInFlightBytes),
    maxRecordsPerSecond: delivery.maxRecordsPerSecond ?? Number.POSITIVE_INFINITY,
    commitInterval: milliseconds(delivery.commitInterval),
    drainTimeout: milliseconds(delivery.drainTimeout),
    clock,
    random: Math.random,
    onChange: (component, error) => {
      if (error === undefined) log.info('recovered', { component })
      else log.warn(error.message, { component, reason: error.reason, kind: error.kind })
    },
    onWrite: options.onWrite,
    collect: options.collect,
    onNotice: (message) => log.warn(message),
  })
  return engine
}
