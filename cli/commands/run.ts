import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import type { Engine } from '../../bridge-runtime/core/engine.ts'
import { fileLeases } from '../../bridge-runtime/lease-stores/file/file.ts'
import { runBridge } from '../../bridge-runtime/main.ts'
import { createLogger } from '../../bridge-runtime/observability/logger.ts'
import { report } from '../../bridge-runtime/observability/report.ts'
import { version } from '../../bridge-runtime/version.ts'
import { duration, milliseconds } from '../../crds/kit/units.ts'
import { streamBridge } from '../../crds/schema/streambridge.ts'
import { bridgeFile } from '../../crds/schema/bridge-file.ts'
import { bridgeFileOf } from '../../operator/streambridge/desired/config-map.ts'
import { chosenBridge } from '../chosen-bridge.ts'
import { type Command, listenAddress, loopback, optionalText, port, stopSignal, text, UsageError } from '../command.ts'
import { mountSecrets } from '../local-secrets.ts'
import { readManifests } from '../manifests.ts'
import { privateFolder } from '../private-folder.ts'
import { progressLine, showProgress } from '../progress.ts'
import { reportFindings } from './validate.ts'

const shutdownSlack = 5_000

export const defaultState = (): string =>
  join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'streambridge')

const urlOf = (address: string, port: number): string =>
  `http://${address.includes(':') ? `[${address}]` : address}:${port}`

/** Aborts after the given time, or when the source has ended by itself. */
function endsBy(
  stop: AbortSignal,
  limit: string | undefined,
): { readonly signal: AbortSignal; watch(engine: Engine): void } {
  const ended = new AbortController()
  const signals = [stop, ended.signal]
  if (limit !== undefined) {
    const parsed = duration('').safeParse(limit)
    if (!parsed.success) throw new UsageError('--for takes a duration: 30s, 5m')
    signals.push(AbortSignal.timeout(milliseconds(parsed.data)))
  }
  const watch = (engine: Engine): void => {
    const timer = setInterval(() => {
      if (engine.state !== 'finished') return
      clearInterval(timer)
      ended.abort()
    }, 50)
    timer.unref()
  }
  return { signal: AbortSignal.any(signals), watch }
}

export const run: Command = {
  help: `Usage: streambridge run -f FILE [OPTIONS]

Runs one bridge in this terminal until Ctrl-C, with live progress on standard error. The file may hold the Secrets that the
bridge names. Ctrl-C drains: what is in flight is finished and its position kept.

  -f, --file FILE      manifests
  --name NAME          which StreamBridge, when there are several
  --for DURATION       stop by itself: 30s, 5m
  --state DIR          where positions are kept of sources without a consumer group
                       (default ~/.local/state/streambridge); delete it to begin anew
  --port PORT          for /livez /readyz /metrics /status (default: a free one)
  --listen ADDRESS     IP address to serve them on (default 127.0.0.1: this machine alone)

Exit code: 0 stopped cleanly, 1 something failed, 2 the manifest or the command line is wrong.`,
  options: {
    file: { type: 'string', short: 'f' },
    name: { type: 'string' },
    for: { type: 'string' },
    state: { type: 'string' },
    port: { type: 'string' },
    listen: { type: 'string' },
  },
  run: async (values) => {
    const path = text(values, 'file')
    const listen = listenAddress(values, loopback)
    const manifests = await readManifests(path)
    const chosen = chosenBridge(manifests, path, optionalText(values, 'name'))
    if (reportFindings([chosen], (line) => console.error(line))) return 2
    const { metadata, spec } = streamBridge.parse(chosen.object)
    const namespace = metadata.namespace ?? 'default'
    const file = bridgeFile.parse(bridgeFileOf({ namespace, name: metadata.name, uid: 'local', spec }))
    const state = join(text(values, 'state', defaultState()), namespace, metadata.name)
    await mkdir(state, { recursive: true })
    await using secrets = await privateFolder()
    await mountSecrets(manifests, secrets.path)
    const stop = endsBy(
      stopSignal(milliseconds(file.delivery.drainTimeout) + shutdownSlack),
      optionalText(values, 'for'),
    )
    const started = performance.now()
    let shown: { stop(): void } | undefined
    let totals = { out: 0, retries: 0, deadLettered: 0 }
    const givenUp = await runBridge({
      file,
      configHash: '',
      secrets: secrets.path,
      leases: fileLeases(state),
      replica: `local-${process.pid}`,
      port: port(values, 'port', 0),
      host: listen,
      // Changes of state are shown as progress; the log is for what a person asked to see.
      log: createLogger({ level: file.logLevel === 'debug' ? 'debug' : 'error' }),
      signal: stop.signal,
      onStarted: (engine, bound) => {
        const identity = { version, replica: 'local', configHash: '' }
        console.error(
          `running ${namespace}/${metadata.name}: ${urlOf(listen, bound)}/status, positions in ${state}, Ctrl-C to stop`,
        )
        shown = showProgress(() => progressLine(report(engine, identity, realClock)), process.stderr)
        stop.watch(engine)
        totals = engine.statistics.totals
      },
    }).finally(() => shown?.stop())
    const seconds = (performance.now() - started) / 1000
    console.error(
      `moved ${totals.out} records in ${seconds.toFixed(1)} s (${(totals.out / seconds).toFixed(0)}/s), retries ${totals.retries}, dead letters ${totals.deadLettered}`,
    )
    if (givenUp > 0)
      console.error(`${givenUp} records were still in flight at the drain timeout; they are read again next time`)
    return 0
  },
}
