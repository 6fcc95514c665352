/** Runs one pod on this machine, as the kubelet would: volumes, container, probes, restarts, status, termination. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import { errorText, type Logger } from '../../../bridge-runtime/observability/logger.ts'
import type { KubeApi } from '../../kube/api.ts'
import { time } from '../../kube/format/time.ts'
import type { Probe } from '../../kube/pod-spec.ts'
import { type ContainerState, type ContainerStatus, type Pod, pods } from '../../kube/resources.ts'
import type { Exit, PodProcess, PodRunner, PodSandbox } from './pod-runner.ts'
import { httpProbe, probeRepeatedly } from './probes.ts'
import { fingerprint, MissingVolume, volumeFilesOf } from './volumes.ts'

export interface LocalPodOptions {
  readonly api: KubeApi
  readonly runner: PodRunner
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds between two reads of the Secrets and ConfigMaps behind the volumes. */
  readonly syncMilliseconds: number
  /** Milliseconds before the second restart in a row (the first is at once), and the longest wait. */
  readonly crashBackoff: { readonly initial: number; readonly max: number }
}

export interface LocalPod {
  /** Ends the container within the pod's grace period and resolves when nothing of the pod is left. */
  stop(): Promise<void>
  /** Resolves when nothing is left, however it ended. */
  readonly ended: Promise<void>
}

/** Milliseconds: the backoff of a container that ran this long is reset, as the kubelet does. */
const backoffResetAfter = 600_000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function runPod(pod: Pod, options: LocalPodOptions): LocalPod {
  const { api, runner, clock, logger, syncMilliseconds, crashBackoff } = options
  const [container] = pod.spec.containers
  if (container === undefined) throw new TypeError(`pod ${pod.metadata.name} has no container`)
  const stopping = new AbortController()
  const status: Mutable<ContainerStatus> = {
    name: container.name,
    ready: false,
    restartCount: 0,
    image: container.image,
  }
  const startTime = time(clock.now())
  let readySince = startTime
  let podIP: string | undefined

  const publish = async (): Promise<void> => {
    const { namespace, name, uid } = pod.metadata
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) }
    const ready = { type: 'Ready', status: status.ready ? 'True' : 'False', lastTransitionTime: readySince } as const
    const phase = status.state?.running !== undefined || status.restartCount > 0 ? 'Running' : 'Pending'
    const address = podIP === undefined ? {} : { podIP }
    const next = { phase, startTime, ...address, conditions: [ready], containerStatuses: [{ ...status }] } as const
    try {
      await api.applyStatus(pods, { ...pod, metadata, status: next })
    } catch (error) {
      logger.debug('pod status could not be written', { pod: name, error: errorText(error) })
    }
  }

  const enter = (state: ContainerState, ready = false): Promise<void> => {
    if (status.ready !== ready) readySince = time(clock.now())
    Object.assign(status, { state, ready })
    return publish()
  }

  /** Writes the volumes once everything they name exists; until then the status says what is missing. */
  const fill = async (sandbox: PodSandbox): Promise<string | undefined> => {
    let lastMessage = ''
    while (!stopping.signal.aborted) {
      try {
        const volumes = await volumeFilesOf(api, pod)
        await sandbox.write(volumes)
        return fingerprint(volumes)
      } catch (error) {
        const message = errorText(error)
        if (message !== lastMessage) await enter({ waiting: { reason: 'ContainerCreating', message } })
        lastMessage = message
        await clock.sleep(syncMilliseconds, stopping.signal)
      }
    }
    return undefined
  }

  /** Follows changes of Secrets and ConfigMaps; what is missing now leaves the old files in place. */
  const refresh = async (sandbox: PodSandbox, written: string, signal: AbortSignal): Promise<void> => {
    let last = written
    while (!signal.aborted) {
      await clock.sleep(syncMilliseconds, signal)
      try {
        const volumes = await volumeFilesOf(api, pod)
        const next = fingerprint(volumes)
        if (next !== last && !signal.aborted) await sandbox.write(volumes)
        last = next
      } catch (error) {
        if (!(error instanceof MissingVolume)) logger.warn('volumes not refreshed', { error: errorText(error) })
      }
    }
  }

  const graceSeconds = pod.spec.terminationGracePeriodSeconds ?? 30

  /** Probes the running container: the startup probe first, then readiness and liveness until the signal aborts. */
  const watchHealth = async (host: string, process: PodProcess, signal: AbortSignal): Promise<void> => {
    const running = { running: { startedAt: time(clock.now()) } }
    const loop = (probe: Probe | undefined, onVerdict: (healthy: boolean) => void, until = signal): Promise<void> => {
      if (probe === undefined) return Promise.resolve(onVerdict(true))
      return probeRepeatedly({ probe, check: () => httpProbe(host, container, probe), clock, signal: until, onVerdict })
    }
    const kill = (what: string): void => {
      logger.warn('container failed its probe and is restarted', { pod: pod.metadata.name, probe: what })
      void process.stop(graceSeconds)
    }
    const started = new AbortController()
    const starting = AbortSignal.any([signal, started.signal])
    await loop(container.startupProbe, (healthy) => (healthy ? started.abort() : kill('startup')), starting)
    if (signal.aborted) return
    status.started = true
    await Promise.all([
      loop(container.readinessProbe, (healthy) => void enter(running, healthy)),
      loop(container.livenessProbe, (healthy) => void (healthy || kill('liveness'))),
    ])
  }

  /** One run of the container, to its end. */
  const runOnce = async (sandbox: PodSandbox, written: string): Promise<Exit> => {
    const process = await sandbox.start()
    const over = new AbortController()
    const startedAt = time(clock.now())
    await enter({ running: { startedAt } })
    const background = [watchHealth(sandbox.podIP, process, over.signal), refresh(sandbox, written, over.signal)]
    const stop = (): void => void process.stop(graceSeconds)
    stopping.signal.addEventListener('abort', stop, { once: true })
    if (stopping.signal.aborted) stop()
    const exit = await process.exited
    over.abort()
    stopping.signal.removeEventListener('abort', stop)
    await Promise.all(background)
    status.started = false
    const reason = exit.exitCode === 0 ? 'Completed' : 'Error'
    const { exitCode, terminationMessage: message } = exit
    await enter({ terminated: { exitCode, reason, message, startedAt, finishedAt: time(clock.now()) } })
    return exit
  }

  const waitAfterCrash = async (crashes: number, message: string): Promise<void> => {
    const { state } = status
    status.restartCount += 1
    if (state !== undefined) status.lastState = state
    if (crashes < 2) return
    await enter({ waiting: { reason: 'CrashLoopBackOff', message } })
    await clock.sleep(Math.min(crashBackoff.max, crashBackoff.initial * 2 ** (crashes - 2)), stopping.signal)
  }

  const run = async (): Promise<void> => {
    const sandbox = await runner.prepare(pod)
    podIP = sandbox.podIP
    let crashes = 0
    try {
      for (;;) {
        const written = await fill(sandbox)
        if (written === undefined || stopping.signal.aborted) return
        const began = clock.monotonic()
        const exit = await runOnce(sandbox, written)
        if (stopping.signal.aborted) return
        crashes = clock.monotonic() - began > backoffResetAfter ? 1 : crashes + 1
        logger.warn('container exited', { pod: pod.metadata.name, exitCode: exit.exitCode, signal: exit.signal })
        await waitAfterCrash(crashes, `back-off restarting failed container ${container.name}`)
      }
    } finally {
      await sandbox.remove()
    }
  }

  const ended = run().catch((error: unknown) => {
    logger.error('pod could not be run', { pod: pod.metadata.name, error: errorText(error) })
  })
  return {
    ended,
    async stop() {
      if (status.ready) {
        status.ready = false
        readySince = time(clock.now())
        void publish()
      }
      stopping.abort()
      await ended
    },
  }
}
