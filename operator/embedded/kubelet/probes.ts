/** Probes of a container, as the kubelet runs them. */
import { get } from 'node:http'
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import type { Container, Probe } from '../../kube/pod-spec.ts'

/** True when the answer is a success; anything else is a failure. Never rejects. */
export function httpProbe(host: string, container: Container, probe: Probe): Promise<boolean> {
  const { path = '/', port = 0 } = probe.httpGet ?? {}
  const number = typeof port === 'number' ? port : container.ports?.find(({ name }) => name === port)?.containerPort
  const timeout = (probe.timeoutSeconds ?? 1) * 1_000
  return new Promise((resolve) => {
    const request = get(
      { host, port: number, path, agent: false, signal: AbortSignal.timeout(timeout) },
      (response) => {
        response.resume()
        const status = response.statusCode ?? 0
        resolve(status >= 200 && status < 400)
      },
    )
    request.on('error', () => resolve(false))
  })
}

export interface ProbeLoop {
  readonly probe: Probe
  readonly check: () => Promise<boolean>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Called when the verdict changes: true after a success, false after `failureThreshold` failures in a row. */
  readonly onVerdict: (healthy: boolean) => void
}

/** Looks every `periodSeconds` until the signal aborts. Resolves then; never rejects. */
export async function probeRepeatedly({ probe, check, clock, signal, onVerdict }: ProbeLoop): Promise<void> {
  const { periodSeconds = 10, failureThreshold = 3, initialDelaySeconds = 0 } = probe
  let verdict: boolean | undefined
  let failures = 0
  await clock.sleep(initialDelaySeconds * 1_000, signal)
  while (!signal.aborted) {
    const healthy = await check()
    if (signal.aborted) return
    failures = healthy ? 0 : failures + 1
    const next = healthy ? true : failures >= failureThreshold ? false : verdict
    if (next !== undefined && next !== verdict) onVerdict(next)
    verdict = next
    await clock.sleep(periodSeconds * 1_000, signal)
  }
}
