import { z } from 'zod'
import { defineStore } from '../define-store.ts'

/** Leases of the cluster the pod runs in. */
export const kubernetes = defineStore({
  name: 'kubernetes',
  schema: z.object({}),
  open: async (_, { namespace, bridge, uid, environment, now }) => {
    const [{ kubernetesLeases }, { inClusterRequest }] = await Promise.all([
      import('./kubernetes.ts'),
      import('./request.ts'),
    ])
    return kubernetesLeases({ namespace, bridge, uid, request: inClusterRequest(environment), now })
  },
})
