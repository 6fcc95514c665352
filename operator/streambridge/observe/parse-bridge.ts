import { pathText } from '../../../crds/manifest-shape.ts'
import { streamBridge } from '../../../crds/schema/streambridge.ts'
import type { StreamBridge } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import type { Parsed } from './observed.ts'

/**
 * What is stored, checked again: an API server knows no expressions, and may hold objects that an older schema took.
 * @param leasesOf where a bridge keeps its leases; absent: in Kubernetes
 */
export function parseBridge(
  stored: StreamBridge,
  leasesOf?: (bridge: Pick<Bridge, 'namespace' | 'name'>) => Bridge['leases'],
): Parsed {
  const { namespace = '', name, uid = '' } = stored.metadata
  const parsed = streamBridge.safeParse(stored)
  if (parsed.success) {
    const leases = leasesOf?.({ namespace, name })
    const bridge = { namespace, name, uid, spec: parsed.data.spec, ...(leases && { leases }) }
    return { kind: 'valid', bridge }
  }
  const [issue] = parsed.error.issues
  return { kind: 'invalid', message: `${issue === undefined ? 'spec' : pathText(issue.path)}: ${issue?.message ?? ''}` }
}
