import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { kubeApiSuite } from '../../../test/integration/kube/kube-api-suite.ts'
import { createEmbeddedKube } from './api.ts'

kubeApiSuite('the in-process Kubernetes API', async () => {
  const api = createEmbeddedKube({ clock: realClock })
  let namespaces = 0
  return {
    api,
    as: (manager) => api.as(manager),
    namespace: async () => `namespace-${namespaces++}`,
    close: async () => undefined,
  }
})
