/** Everything that must hold before the workload is written: checks in order, each with one finding at most. Pure. */
import { milliseconds } from '../../crds/kit/units.ts'
import type { ConditionType } from '../../crds/schema/conditions.ts'
import { type Allowed, isAllowed } from './allowed.ts'
import type { Bridge } from './bridge.ts'
import { childName, configMapName } from './desired/labels.ts'
import { configHashOf } from './desired/config-map.ts'
import type { Observed } from './observe/observed.ts'
import { isOwnedBy } from './owned.ts'
import type { Reason } from './reason.ts'

export interface Finding {
  /** The condition that says it. */
  readonly condition: ConditionType
  /** Unknown where the check itself failed. */
  readonly status: 'False' | 'Unknown'
  readonly reason: Reason
  /** What is wrong, with its name, and what to do. */
  readonly message: string
}

type Check = (observed: Observed, bridge: Bridge, allowed: Allowed) => Finding | undefined

const invalid = (message: string): Finding => ({
  condition: 'ConfigValid',
  status: 'False',
  reason: 'InvalidSpec',
  message,
})

/** A label value may have 63 characters, the hostname of a pod too; an object from before the rule may be longer. */
const nameFits: Check = (_, { name }) =>
  name.length > 52 ? invalid('metadata.name: 52 characters at most: make it anew under a shorter name') : undefined

const backoffGrows: Check = (_, { spec }) => {
  const { initialBackoff, maxBackoff } = spec.delivery.retry
  return milliseconds(initialBackoff) > milliseconds(maxBackoff)
    ? invalid('spec.delivery.retry.initialBackoff: must not be longer than maxBackoff')
    : undefined
}

const notAllowed = (what: string, patterns: readonly string[], otherwise: string): Finding => ({
  ...invalid(
    `${what} is not allowed; this operator allows ${patterns.join(', ')}, and ${otherwise} where none is named`,
  ),
  reason: 'NotAllowed',
})

const imageIsAllowed: Check = (_, { spec: { image } }, { images }) =>
  image === undefined || isAllowed(image, images)
    ? undefined
    : notAllowed(`spec.image: "${image}"`, images, 'its own image')

const serviceAccountIsAllowed: Check = (_, { spec: { serviceAccountName: name } }, { serviceAccounts }) =>
  name === undefined || isAllowed(name, serviceAccounts)
    ? undefined
    : notAllowed(`spec.serviceAccountName: "${name}"`, serviceAccounts, 'one of its own making')

const childNamesAreOurs: Check = ({ children }, bridge) => {
  const names = new Set([childName(bridge.name), configMapName(bridge.name, configHashOf(bridge))])
  const foreign = children.find(({ object }) => names.has(object.metadata.name) && !isOwnedBy(object, bridge.uid))
  if (foreign === undefined) return undefined
  const { resource, object } = foreign
  return {
    condition: 'Available',
    status: 'False',
    reason: 'NameConflict',
    message: `${resource.kind} "${object.metadata.name}" exists and belongs to something else: delete or rename it, or rename the StreamBridge`,
  }
}

const secretsExist: Check = ({ refs, secrets }) => {
  for (const { name, key, path } of refs) {
    const view = secrets.get(name)
    const found = { condition: 'CredentialsResolved', status: 'False' } as const
    if (view === undefined || view.kind === 'missing')
      return { ...found, reason: 'SecretNotFound', message: `Secret "${name}" does not exist: create it (${path})` }
    if (view.kind === 'unreadable')
      return { ...found, status: 'Unknown', reason: 'SecretUnreadable', message: view.message }
    if (!view.keys.includes(key))
      return {
        ...found,
        reason: 'SecretKeyNotFound',
        message: `Secret "${name}" has no key "${key}": add it (${path})`,
      }
  }
  return undefined
}

const checks: readonly Check[] = [
  nameFits, // before anything is named after it
  backoffGrows,
  imageIsAllowed, // before a pod runs it
  serviceAccountIsAllowed,
  childNamesAreOurs, // never adopt what we did not make
  secretsExist, // before pods roll into a mount that cannot succeed
]

/** What is wrong, one finding per condition at most. Empty: the workload may be written. */
export function findingsOf(observed: Observed, allowed: Allowed): readonly Finding[] {
  const { parsed } = observed
  if (parsed.kind === 'invalid') return [invalid(parsed.message)]
  const findings = checks.flatMap((check) => check(observed, parsed.bridge, allowed) ?? [])
  return findings.filter((finding, index) => findings.findIndex((f) => f.condition === finding.condition) === index)
}
