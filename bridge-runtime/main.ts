/** Runs one replica of a bridge until it is told to stop. Wiring only. */
import { readFile } from 'node:fs/promises'
import { type BridgeFile, bridgeFile } from '../crds/schema/bridge-file.ts'
import { milliseconds } from '../crds/kit/units.ts'
import { createBridge } from './bridge.ts'
import { boundBuffers, collectsEarly } from './buffer-memory.ts'
import { realClock } from './core/clock.ts'
import type { Engine } from './core/engine.ts'
import type { LeaseStore } from './lease-stores/lease-store.ts'
import { serveEndpoints } from './observability/endpoints.ts'
import { liveness, readiness } from './observability/health.ts'
import type { Logger } from './observability/logger.ts'
import { createMetrics } from './observability/metrics.ts'
import { report } from './observability/report.ts'
import { mountedSecrets } from './secrets.ts'
import { version } from './version.ts'

export interface RunOptions {
  readonly file: BridgeFile
  readonly configHash: string
  /** Directory of the mounted Secrets. */
  readonly secrets: string
  readonly leases: LeaseStore
  readonly replica: string
  /** 0 chooses a free port. */
  readonly port: number
  /** The address to listen on; undefined: all of this machine's, as a kubelet needs it. */
  readonly host: string | undefined
  readonly log: Logger
  /** Aborts to drain and end. */
  readonly signal: AbortSignal
  /** Told once the endpoints answer. */
  readonly onStarted?: (engine: Engine, port: number) => void
}

/** Reads and checks a bridge file. Throws an Error that names the file and each field at fault. */
export async function readBridgeFile(path: string): Promise<BridgeFile> {
  const parsed = bridgeFile.safeParse(JSON.parse(await readFile(path, 'utf8')))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`${path} is no bridge file of this version (${version}): ${problems.join('; ')}`)
}

/** With Node's flag `--expose-gc` memory is bounded more tightly where that pays. Resolves when everything is drained, committed and closed; with the number of records given up at the drain deadline. */
export async function runBridge(options: RunOptions): Promise<number> {
  const { file, log, signal } = options
  const { gc } = globalThis
  const metrics = createMetrics(realClock)
  const engine = createBridge({
    file,
    replica: options.replica,
    secret: mountedSecrets(options.secrets),
    leases: options.leases,
    log,
    onWrite: metrics.onWrite,
    collect: gc && (() => gc()),
  })
  metrics.observe(engine)
  const identity = { version, replica: options.replica, configHash: options.configHash }
  const server = await serveEndpoints({
    port: options.port,
    host: options.host,
    clock: realClock,
    answers: {
      livez: () => liveness(engine, realClock.monotonic()),
      readyz: () => readiness(engine, realClock.monotonic()),
      metrics: metrics.registry,
      status: () => report(engine, identity, realClock),
    },
  })
  const { port } = server
  if (gc !== undefined && collectsEarly(file)) {
    const memory = { used: () => process.memoryUsage().arrayBuffers, collect: () => gc() }
    void boundBuffers(memory, realClock, signal)
  }
  log.info('started', { version, port, ordering: file.delivery.ordering })
  options.onStarted?.(engine, port)
  // The drain has a deadline of its own; this one is for what hangs in spite of it. The process is then ended from outside.
  signal.addEventListener(
    'abort',
    () => log.info('draining', { timeoutMs: milliseconds(file.delivery.drainTimeout) }),
    { once: true },
  )
  await engine.run(signal)
  if (engine.state === 'finished')
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  void server.close()
  log.info('stopped', { in: engine.statistics.totals.in, out: engine.statistics.totals.out, givenUp: engine.abandoned })
  return engine.abandoned
}
