import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { fromKubeconfig } from '../../../operator/kube/client/cluster-access.ts'
import { createKubeClient } from '../../../operator/kube/client/client.ts'
import { installCrd } from '../../support/install-crd.ts'
import { startKubeApiServer } from '../../support/kube-api-server.ts'
import { kubeApiSuite } from './kube-api-suite.ts'

kubeApiSuite('the client against a real API server', async () => {
  const server = await startKubeApiServer({ controllerManager: true })
  await installCrd(server)
  const access = await fromKubeconfig({ path: server.kubeconfigPath })
  const as = (fieldManager: string) => createKubeClient({ access, clock: realClock, fieldManager })
  let namespaces = 0
  return {
    api: as('streambridge'),
    as,
    async namespace() {
      const name = `namespace-${namespaces++}`
      await server.kubectl(['create', 'namespace', name])
      return name
    },
    async close() {
      access.close()
      await server.stop()
    },
  }
})
