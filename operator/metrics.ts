/** The operator's metrics. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { phases } from '../crds/schema/status.ts'
import type { RunResult } from './kube/controller.ts'
import type { Plan } from './streambridge/plan.ts'

export interface OperatorMetrics {
  readonly registry: Registry
  /** After each run of a key; seconds. */
  ran(result: RunResult, seconds: number): void
  /** What was decided for a StreamBridge; undefined when it is gone. */
  planned(key: string, plan: Plan | undefined): void
}

/** `lastSync`: seconds since the last answer or event of the API server, by kind. */
export function createMetrics(lastSync: () => ReadonlyMap<string, number>): OperatorMetrics {
  const registry = new Registry()
  const registers = [registry]
  const runs = new Counter({
    name: 'streambridge_operator_reconcile_total',
    help: 'Reconcile runs by result.',
    labelNames: ['result'],
    registers,
  })
  const durations = new Histogram({
    name: 'streambridge_operator_reconcile_seconds',
    help: 'Duration of a reconcile run.',
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  })
  const desired = new Gauge({
    name: 'streambridge_operator_desired_replicas',
    help: 'Replicas that a StreamBridge should have.',
    labelNames: ['namespace', 'name'],
    registers,
  })
  const decisions = new Counter({
    name: 'streambridge_operator_scaling_decisions_total',
    help: 'Changes of the number of replicas by reason.',
    labelNames: ['reason'],
    registers,
  })
  const inPhase = new Map<string, string>()
  const resources = new Gauge({
    name: 'streambridge_operator_resources',
    help: 'StreamBridges by phase.',
    labelNames: ['phase'],
    registers: [],
    collect() {
      for (const phase of phases) this.set({ phase }, [...inPhase.values()].filter((one) => one === phase).length)
    },
  })
  const lastContact = new Gauge({
    name: 'streambridge_operator_watch_last_list_seconds',
    help: 'Seconds since the last answer or event of the API server, by watched kind.',
    labelNames: ['kind'],
    registers: [],
    collect() {
      for (const [kind, seconds] of lastSync()) this.set({ kind }, seconds)
    },
  })

  registry.registerMetric(resources)
  registry.registerMetric(lastContact)

  const replicas = new Map<string, number>()
  return {
    registry,
    ran(result, seconds) {
      runs.inc({ result })
      durations.observe(seconds)
    },
    planned(key, plan) {
      const [namespace = '', name = ''] = key.split('/')
      const before = replicas.get(key)
      if (plan === undefined) {
        desired.remove({ namespace, name })
        replicas.delete(key)
        inPhase.delete(key)
        return
      }
      const { desiredReplicas = 0, phase = 'Pending', scaling } = plan.status
      if (before !== undefined && before !== desiredReplicas) decisions.inc({ reason: scaling?.reason ?? '' })
      desired.set({ namespace, name }, desiredReplicas)
      replicas.set(key, desiredReplicas)
      inPhase.set(key, phase)
    },
  }
}
