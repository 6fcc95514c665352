/** Wires the operator together: settings, client, leader election, watches, controller, health. */
import { randomBytes, randomUUID } from 'node:crypto'
import { type Clock, realClock } from '../bridge-runtime/core/clock.ts'
import { createLogger, errorText, type Logger } from '../bridge-runtime/observability/logger.ts'
import { crdProblem, podMonitorsInstalled } from './crd-check.ts'
import { startHealthServer } from './health.ts'
import type { KubeApi } from './kube/api.ts'
import { createKubeClient } from './kube/client/client.ts'
import { findCluster } from './kube/client/cluster-access.ts'
import { startController } from './kube/controller.ts'
import { createEventRecorder } from './kube/events.ts'
import { electLeader, type Leadership } from './kube/leader-election.ts'
import { createMetrics, type OperatorMetrics } from './metrics.ts'
import { type Settings, settingsFrom } from './settings.ts'
import { checksumKey } from './streambridge/observe/checksum-key.ts'
import type { ReadReport } from './streambridge/observe/ask-replica.ts'
import { readReport } from './streambridge/observe/read-report.ts'
import { createReconciler, type ReconcileOptions } from './streambridge/reconcile.ts'
import { type Watches, watchBridges } from './streambridge/observe/watches.ts'

export interface OperatorOptions {
  /** Opens the Kubernetes API; `mayWrite` is checked immediately before each write is sent. */
  readonly connect: (mayWrite: () => boolean) => KubeApi
  readonly settings: Settings
  readonly clock: Clock
  /** A number in [0, 1), for jitter. */
  readonly random: () => number
  readonly logger: Logger
  /** Aborting it stops the operator; what it runs goes on. */
  readonly signal: AbortSignal
  /** Default: over HTTP. */
  readonly readReport?: ReadReport
  /** Whether a CustomResourceDefinition must be installed first. Default true. */
  readonly checkCrd?: boolean
  /** Where a bridge keeps its leases; absent: in Kubernetes. */
  readonly leasesOf?: ReconcileOptions['leasesOf']
  /** The address to serve health and metrics on. Default: all of this machine's. */
  readonly host?: string
}

/** Reconciled at the same time: most of a run is waiting, for replicas that do not answer up to 2 s. */
const concurrency = 32
/** Milliseconds between two attempts to start. */
const startRetryInterval = 5_000

/** Repeats until it succeeds; undefined when the signal aborts before. Logs each new error once. */
async function retryUntilDone<T>(
  options: OperatorOptions,
  what: string,
  run: () => Promise<T>,
): Promise<T | undefined> {
  const { clock, logger, signal } = options
  let lastError = ''
  while (!signal.aborted) {
    try {
      return await run()
    } catch (error) {
      if (errorText(error) !== lastError) logger.error(what, { error: errorText(error) })
      lastError = errorText(error)
      await clock.sleep(startRetryInterval, signal)
    }
  }
  return undefined
}

async function requireCrd(kube: KubeApi): Promise<void> {
  const problem = await crdProblem(kube)
  if (problem !== undefined) throw new Error(problem)
}

const reportInterval = ({ reportInterval: fixed }: Settings, mode: string): number =>
  fixed ?? (mode === 'Lag' ? 5_000 : 10_000)

interface RunningController {
  stop(): Promise<void>
  readonly watches: Watches
}

function startReconciling(
  options: OperatorOptions,
  kube: KubeApi,
  key: Buffer,
  metrics: OperatorMetrics,
): RunningController {
  const { settings, clock, random, logger } = options
  const identity = { controller: 'streambridge-operator', instance: settings.podName }
  const events = createEventRecorder({ api: kube, clock, logger, ...identity })
  const reconciler = createReconciler({
    kube,
    clock,
    readReport: options.readReport ?? readReport,
    checksumKey: key,
    intervalOf: (mode) => reportInterval(settings, mode),
    resync: settings.resync,
    podMonitors: podMonitorsInstalled(kube, clock),
    image: settings.image,
    allowed: settings.allowed,
    leasesOf: options.leasesOf,
    events,
    onPlan: (name, plan) => metrics.planned(name, plan),
  })
  const controller = startController({
    reconcile: (name) => reconciler.reconcile(name),
    clock,
    backoff: { initial: 500, max: 60_000, random },
    concurrency,
    logger,
    onRun: (_, result, milliseconds) => metrics.ran(result, milliseconds / 1_000),
  })
  const { namespaces } = settings
  const onChange = (name: string): void => {
    reconciler.changed(name)
    controller.enqueue(name)
  }
  const watches = watchBridges({ kube, clock, random, logger, namespaces, onChange })
  const stop = async (): Promise<void> => {
    await watches.stop()
    await controller.stop()
    await events.flush()
  }
  return { watches, stop }
}

function joinElection(options: OperatorOptions, onLost: (reason: string) => void): Leadership | undefined {
  const { connect, settings, clock, random, logger } = options
  if (!settings.leaderElection) return undefined
  const lease = { namespace: settings.podNamespace, name: 'streambridge-operator' }
  // Writes of the lease itself need no permission: they are conditional on what was read.
  const api = connect(() => true)
  return electLeader({ api, clock, random, logger, lease, identity: `${settings.podName}_${randomUUID()}`, onLost })
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/**
 * Runs until the signal aborts. *Errors*: rejects when the leadership is lost, then the process must exit at once;
 * or when the metrics port is taken.
 */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { settings, logger, signal } = options
  const lost = Promise.withResolvers<never>()
  let running: RunningController | undefined
  let synced = !settings.leaderElection
  const metrics = createMetrics(() => running?.watches.lastSync() ?? new Map<string, number>())
  const health = await startHealthServer({
    port: settings.metricsPort,
    host: options.host,
    ready: () => synced,
    registry: metrics.registry,
    clock: options.clock,
  })
  const leadership = joinElection(options, (reason) => lost.reject(new Error(`leadership lost: ${reason}`)))
  const kube = options.connect(() => leadership?.isLeader() ?? true)
  const stopped = aborted(signal)

  const begin = async (): Promise<void> => {
    if (options.checkCrd !== false) await retryUntilDone(options, 'not starting yet', () => requireCrd(kube))
    synced = true
    await Promise.race([leadership?.elected, stopped])
    const key = await retryUntilDone(options, 'not starting yet', () =>
      checksumKey(kube, settings.podNamespace, randomBytes),
    )
    if (key === undefined) return
    running = startReconciling(options, kube, key, metrics)
    logger.info('operator started', { namespaces: settings.namespaces.join(',') || 'all', port: health.port })
  }

  try {
    await Promise.race([begin().then(() => stopped), lost.promise])
  } finally {
    await running?.stop()
    await leadership?.stop()
    await health.close()
  }
}

/** The operator as a process: settings from the environment, the cluster from the pod or the kubeconfig. */
export async function runOperatorProcess(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const settings = settingsFrom(environment)
  const logger = createLogger({ level: settings.logLevel })
  const clock = realClock
  const access = await findCluster({ environment, clock })
  const connect = (mayWrite: () => boolean): KubeApi => createKubeClient({ access, clock, mayWrite })
  try {
    await runOperator({ connect, settings, clock, random: Math.random, logger, signal })
  } finally {
    access.close()
  }
}
