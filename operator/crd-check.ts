/** Which CustomResourceDefinitions the cluster has, and whether ours is one this operator can work with. */
import type { Clock } from '../bridge-runtime/core/clock.ts'
import { group, plural, version } from '../crds/schema/streambridge.ts'
import { status } from '../crds/schema/status.ts'
import type { KubeApi } from './kube/api.ts'
import { customResourceDefinitions } from './kube/resources.ts'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
}

interface VersionWithSchema {
  readonly name: string
  readonly served: boolean
  readonly schema?: { readonly openAPIV3Schema?: Schema }
}

/**
 * Says what is wrong and what to do; undefined when all is well. An older definition would silently drop fields of the
 * status that this operator writes. A newer one is fine.
 */
export async function crdProblem(kube: KubeApi): Promise<string | undefined> {
  const name = `${plural}.${group}`
  const crd = await kube.get(customResourceDefinitions, { name })
  if (crd === undefined) return `CustomResourceDefinition ${name} is not installed: install the chart's CRD`
  const versions: readonly VersionWithSchema[] = crd.spec.versions
  const served = versions.find((one) => one.name === version && one.served)
  if (served === undefined) return `CustomResourceDefinition ${name} does not serve ${version}: upgrade the CRD`
  const known = served.schema?.openAPIV3Schema?.properties?.['status']?.properties ?? {}
  const missing = Object.keys(status.shape).find((field) => known[field] === undefined)
  return (
    missing && `CustomResourceDefinition ${name} is older than this operator (no status.${missing}): upgrade the CRD`
  )
}

/** Milliseconds for which an answer about another operator's CRD is cached. */
const cacheDuration = 300_000

/** Whether PodMonitors can be made, asked at most every five minutes. */
export function podMonitorsInstalled(kube: KubeApi, clock: Clock): () => Promise<boolean> {
  let cached: { readonly answer: Promise<boolean>; readonly at: number } | undefined
  const ask = async (): Promise<boolean> =>
    (await kube.get(customResourceDefinitions, { name: 'podmonitors.monitoring.coreos.com' })) !== undefined
  return async () => {
    const now = clock.monotonic()
    if (cached === undefined || now - cached.at >= cacheDuration) cached = { answer: ask(), at: now }
    try {
      return await cached.answer
    } catch (error) {
      cached = undefined
      throw error
    }
  }
}
