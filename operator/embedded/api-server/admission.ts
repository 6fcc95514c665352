/** What the API server does to an object before it stores it: defaults, and rules it refuses an object for. Pure. */
import { canonicalJson } from '../../kube/format/canonical.ts'
import { streamBridge } from '../../../crds/schema/streambridge.ts'
import { validateManifest } from '../../../crds/validate.ts'
import type { KubeError, KubeObject, Resource } from '../../kube/api.ts'
import { deployments, roleBindings, streamBridges } from '../../kube/resources.ts'
import { type Json, type JsonObject } from './field-ownership.ts'
import { withDeploymentDefaults } from './deployment-defaults.ts'
import { invalid } from './server-errors.ts'
import { resourceId } from './store.ts'

type Admit = (object: JsonObject, before: JsonObject | undefined) => { object: JsonObject; causes: readonly string[] }

/** An unknown field is dropped, not refused: only a strict client is told of it. */
const refusalsOf = (object: JsonObject): readonly string[] =>
  validateManifest(object).flatMap(({ path, message, severity }) =>
    severity === 'error' && message !== 'unknown field' ? [`${path}: ${message}`] : [],
  )

const admitStreamBridge: Admit = (object) => {
  const parsed = streamBridge.safeParse(object)
  if (!parsed.success) return { object, causes: refusalsOf(object) }
  const spec = JSON.parse(JSON.stringify(parsed.data.spec)) as Json
  return { object: { ...object, spec }, causes: [] }
}

const fieldOf = (object: JsonObject | undefined, ...path: readonly string[]): Json | undefined =>
  path.reduce<Json | undefined>((here, name) => (here as JsonObject | undefined)?.[name], object)

const immutable =
  (...path: readonly string[]): Admit =>
  (object, before) => {
    const changed =
      before !== undefined && canonicalJson(fieldOf(before, ...path)) !== canonicalJson(fieldOf(object, ...path))
    return { object, causes: changed ? [`${path.join('.')}: Invalid value: field is immutable`] : [] }
  }

const rules: Readonly<Record<string, readonly Admit[]>> = {
  [resourceId(streamBridges)]: [admitStreamBridge],
  [resourceId(deployments)]: [
    (object) => ({ object: withDeploymentDefaults(object), causes: [] }),
    immutable('spec', 'selector'),
  ],
  [resourceId(roleBindings)]: [immutable('roleRef')],
}

/** The object as it is stored. *Errors*: KubeError 422 naming every field at fault. */
export function admit(resource: Resource, object: JsonObject, before: KubeObject | undefined): JsonObject | KubeError {
  let admitted = object
  const causes: string[] = []
  for (const rule of rules[resourceId(resource)] ?? []) {
    const result = rule(admitted, before as unknown as JsonObject | undefined)
    admitted = result.object
    causes.push(...result.causes)
  }
  if (causes.length === 0) return admitted
  return invalid(resource, (object['metadata'] as JsonObject)['name'] as string, causes)
}
