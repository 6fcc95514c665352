import { watch } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { createLogger } from '../../bridge-runtime/observability/logger.ts'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../operator/embedded/cluster.ts'
import { runAsProcesses } from '../../operator/embedded/kubelet/processes.ts'
import type { KubeApi } from '../../operator/kube/api.ts'
import { events, streamBridges } from '../../operator/kube/resources.ts'
import { runOperator } from '../../operator/main.ts'
import { settingsFrom } from '../../operator/settings.ts'
import { type Applied, applyManifests, removeVanished } from '../apply.ts'
import { type Command, listenAddress, loopback, stopSignal, text } from '../command.ts'
import { ManifestError, readManifests } from '../manifests.ts'
import { privateFolder } from '../private-folder.ts'
import { table } from '../table.ts'
import { defaultState } from './run.ts'

/** Milliseconds all bridges may take to drain. */
const shutdown = 60_000

type Print = (line: string) => void

/** Prints lines above a block that is redrawn in place on a terminal, and repeated now and then elsewhere. */
function screen(
  terminal: NodeJS.WriteStream,
  block: () => readonly string[],
): { readonly print: Print; readonly stop: () => void } {
  let height = 0
  const erase = (): void => {
    if (height > 0) terminal.write(`\u001b[${height}A\u001b[J`)
    height = 0
  }
  const draw = (): void => {
    const lines = block().map((line) => (terminal.isTTY ? line.slice(0, terminal.columns - 1) : line))
    erase()
    terminal.write(`${lines.join('\n')}\n`)
    if (terminal.isTTY) height = lines.length
  }
  const timer = setInterval(draw, terminal.isTTY ? 1_000 : 5_000)
  return {
    print: (line) => {
      erase()
      terminal.write(`${line}\n`)
      if (terminal.isTTY) draw()
    },
    stop: () => clearInterval(timer),
  }
}

const time = (): string => new Date().toTimeString().slice(0, 8)

/** Prints what the operator says it did, as `kubectl get events --watch` would. */
async function followEvents(kube: KubeApi, print: Print, signal: AbortSignal): Promise<void> {
  const { resourceVersion } = await kube.list(events)
  for await (const event of kube.watch(events, { resourceVersion, timeoutSeconds: 86_400 }, signal)) {
    if (event.type !== 'ADDED') continue
    const { regarding, reason, note } = event.object
    print(`${time()} ${regarding?.name ?? ''} ${reason ?? ''}: ${note ?? ''}`)
  }
}

/** Log lines of the pods: warnings and errors, or all of them. */
const podLine =
  (print: Print, everything: boolean) =>
  (pod: string, line: string): void => {
    if (everything || !/^\{.*"level":"(info|debug)"/.test(line)) print(`${time()} [${pod}] ${line}`)
  }

/** Applies the manifests, now and whenever the files change. */
async function follow(path: string, kube: KubeApi, print: Print, signal: AbortSignal): Promise<void> {
  let applied: readonly Applied[] = await applyManifests(kube, await readManifests(path), print)
  let turn: Promise<void> = Promise.resolve()
  const again = async (): Promise<void> => {
    try {
      const now = await applyManifests(kube, await readManifests(path), print)
      await removeVanished(kube, applied, now, print)
      applied = now
    } catch (thrown) {
      if (!(thrown instanceof ManifestError)) throw thrown
      print(`${thrown.message}; nothing is changed`)
    }
  }
  let timer: NodeJS.Timeout | undefined
  watch(path, { signal }).on('change', () => {
    clearTimeout(timer)
    // An editor writes in several steps.
    timer = setTimeout(() => {
      turn = turn.then(again)
    }, 300)
  })
}

interface Here {
  readonly cluster: EmbeddedCluster
  /** Manifests. */
  readonly path: string
  /** Where positions are kept: a folder for each bridge. */
  readonly state: string
  /** The address to listen on. */
  readonly host: string
  readonly print: Print
  readonly signal: AbortSignal
}

async function runHere({ cluster: { api }, path, state, host, print, signal }: Here): Promise<void> {
  const settings = settingsFrom({
    STREAMBRIDGE_IMAGE: 'local',
    LEADER_ELECT: 'false',
    METRICS_PORT: '0',
    REPORT_INTERVAL: '1s',
  })
  const logger = createLogger({ level: 'warn', write: print })
  const events = followEvents(api, print, signal)
  const operator = runOperator({
    connect: () => api,
    settings,
    clock: realClock,
    random: Math.random,
    logger,
    signal,
    checkCrd: false,
    leasesOf: ({ namespace, name }) => ({ file: { directory: join(state, namespace, name) } }),
    host,
  })
  await follow(path, api.as('kubectl'), print, signal)
  await Promise.all([operator, events])
}

export const dev: Command = {
  help: `Usage: streambridge dev -f DIR|FILE [OPTIONS]

Runs the operator on this machine: the same controller against an in-process Kubernetes API; the pods of the bridges are
local processes. Manifests may hold Secrets beside StreamBridges. Files that change are applied again. Ctrl-C drains all;
if this process is killed, its pods drain by themselves.

  -f, --file DIR|FILE  manifests
  --state DIR          where positions are kept (default ~/.local/state/streambridge)
  --listen ADDRESS     IP address that operator and pods serve their health and metrics on
                       (default 127.0.0.1: this machine alone)
  --logs               print every log line of the pods, not only warnings and errors`,
  options: { file: { type: 'string', short: 'f' }, state: { type: 'string' }, logs: { type: 'boolean' } },
  run: async (values) => {
    const path = text(values, 'file')
    const listen = listenAddress(values, loopback)
    await readManifests(path)
    const state = resolve(text(values, 'state', defaultState()))
    await mkdir(state, { recursive: true })
    await using folder = await privateFolder()
    const signal = stopSignal(shutdown)
    let lines: readonly string[] = []
    const { print, stop } = screen(process.stdout, () => lines)
    const cluster = startEmbeddedCluster({
      clock: realClock,
      random: Math.random,
      logger: createLogger({ level: 'error', write: print }),
      runner: runAsProcesses({
        command: [process.execPath, '--no-warnings', fileURLToPath(new URL('../main.ts', import.meta.url))],
        environment: process.env,
        folder: folder.path,
        host: listen,
        extraArguments: ['--listen', listen],
        onLine: podLine(print, values['logs'] === true),
      }),
      crashBackoff: { initial: 500, max: 10_000 },
    })
    const refresh = setInterval(() => {
      void cluster.api.list(streamBridges).then(({ items }) => {
        lines = table(items)
      })
    }, 500)
    try {
      await runHere({ cluster, path, state, host: listen, print, signal })
    } finally {
      print('stopping: bridges finish what is in flight')
      await cluster.stop()
      clearInterval(refresh)
      stop()
    }
    return 0
  },
}
