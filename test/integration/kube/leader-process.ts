/**
 * Runs as a process of its own: writes as fast as it can while it leads, and exits when the lease is lost. After SIGUSR2
 * it stops itself (SIGSTOP) where its last argument says: a signal from outside would hit that place by luck only.
 */
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { createKubeClient } from '../../../operator/kube/client/client.ts'
import { type ClusterAccess, fromKubeconfig } from '../../../operator/kube/client/cluster-access.ts'
import { electLeader } from '../../../operator/kube/leader-election.ts'
import { configMaps } from '../../../operator/kube/resources.ts'

const [path = '', identity = '', place = ''] = process.argv.slice(2)
let armed = false
process.on('SIGUSR2', () => {
  armed = true
})
const reach = (here: string): void => {
  if (!armed || here !== place) return
  armed = false
  process.kill(process.pid, 'SIGSTOP')
}

const access = await fromKubeconfig({ path })
const api = createKubeClient({ access, clock: realClock })
const leadership = electLeader({
  api,
  clock: realClock,
  random: Math.random,
  logger: silentLogger,
  lease: { namespace: 'default', name: 'contested' },
  identity,
  times: { leaseDuration: 3_000, renewDeadline: 2_000, retryPeriod: 200 },
  onLost: () => process.exit(3),
})
const stopping: ClusterAccess = {
  ...access,
  async connect(fresh) {
    const connection = await access.connect(fresh)
    reach('connecting')
    return connection
  },
}
const leading = createKubeClient({ access: stopping, clock: realClock, mayWrite: () => leadership.isLeader() })
console.log('campaigning')
await leadership.elected
console.log('leading')
for (let count = 0; ; count++) {
  const metadata = { name: `written-by-${identity}`, namespace: 'default' }
  const data = { count: String(count) }
  await leading.apply(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }).catch(() => undefined)
  reach('between writes')
  await realClock.sleep(20)
}
