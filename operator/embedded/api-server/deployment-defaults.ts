/**
 * The fields the API server fills in on a Deployment, so that code which compares what it wants with what it finds meets
 * the same differences in process as on a cluster. Pure.
 */
import { canonicalQuantity } from '../../kube/format/quantity.ts'
import type { Json, JsonObject } from './field-ownership.ts'

type Change = (value: JsonObject) => JsonObject

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Adds what is not there. */
const filled =
  (defaults: JsonObject): Change =>
  (value) => ({ ...defaults, ...value })

/** Changes one member, where it is there; each element, where it is a list. */
const within =
  (name: string, ...changes: readonly Change[]): Change =>
  (value) => {
    const member = value[name]
    const change = (item: Json): Json => (isObject(item) ? changes.reduce((done, next) => next(done), item) : item)
    if (member === undefined) return value
    return { ...value, [name]: Array.isArray(member) ? (member as readonly Json[]).map(change) : change(member) }
  }

const probe: readonly Change[] = [
  filled({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  within('httpGet', filled({ scheme: 'HTTP' })),
]

const quantities: Change = (value) =>
  Object.fromEntries(
    Object.entries(value).map(([name, amount]) => [
      name,
      typeof amount === 'string' ? canonicalQuantity(amount) : amount,
    ]),
  )

const container: readonly Change[] = [
  (value) => filled({ imagePullPolicy: pullPolicy(value['image'] as string) })(value),
  filled({ terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', resources: {} }),
  within('resources', within('requests', quantities), within('limits', quantities)),
  within('ports', filled({ protocol: 'TCP' })),
  within('env', within('valueFrom', within('fieldRef', filled({ apiVersion: 'v1' })))),
  within('startupProbe', ...probe),
  within('livenessProbe', ...probe),
  within('readinessProbe', ...probe),
]

const mode = filled({ defaultMode: 0o644 })

const podSpec: readonly Change[] = [
  filled({
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
  }),
  (value) =>
    value['serviceAccountName'] === undefined ? value : { serviceAccount: value['serviceAccountName'], ...value },
  within('containers', ...container),
  within(
    'volumes',
    within('configMap', mode),
    within('secret', mode),
    within('projected', mode),
    within('emptyDir', quantities),
  ),
]

const pullPolicy = (image: string): string => (/(:latest|\/[^:@]*|^[^:@/]*)$/.test(image) ? 'Always' : 'IfNotPresent')

const rolling = filled({ maxSurge: '25%', maxUnavailable: '25%' })

const spec: readonly Change[] = [
  filled({ replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: { type: 'RollingUpdate' } }),
  within('strategy', (value) =>
    value['type'] === 'RollingUpdate' ? within('rollingUpdate', rolling)(filled({ rollingUpdate: {} })(value)) : value,
  ),
  within('template', within('spec', ...podSpec)),
]

export const withDeploymentDefaults: Change = within('spec', ...spec)
