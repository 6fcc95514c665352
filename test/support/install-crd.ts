import { fileURLToPath } from 'node:url'
import { group, plural, version } from '../../crds/schema/streambridge.ts'
import { eventually } from './eventually.ts'
import type { KubeApiServer } from './kube-api-server.ts'

/** The generated CustomResourceDefinition. */
export const crdFile = fileURLToPath(new URL('../../crds/streambridges.yaml', import.meta.url))

/**
 * Applies the CustomResourceDefinition and resolves once StreamBridges are served. `kubectl wait --for=condition=Established` would
 * not do: it fails at once on an object that has no conditions yet (kubernetes/kubernetes#66439).
 */
export async function installCrd(server: Pick<KubeApiServer, 'kubectl'>): Promise<void> {
  await server.kubectl(['apply', '-f', crdFile])
  await eventually('StreamBridges are served', () =>
    server.kubectl(['get', '--raw', `/apis/${group}/${version}/${plural}`]),
  )
}
