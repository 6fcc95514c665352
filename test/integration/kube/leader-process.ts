/** Runs as a process of its own: writes as fast as it can while it leads, and exits when the lease is lost. */
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { createKubeClient } from '../../../operator/kube/client.ts'
import { fromKubeconfig } from '../../../operator/kube/cluster-access.ts'
import { electLeader, onlyAsLeader } from '../../../operator/kube/leader-election.ts'
import { configMaps } from '../../../operator/kube/resources.ts'

const [path = '', identity = ''] = process.argv.slice(2)
const api = createKubeClient({ access: await fromKubeconfig({ path }), clock: realClock })
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
const leading = onlyAsLeader(api, () => leadership.isLeader())
console.log('campaigning')
await leadership.elected
console.log('leading')
for (let count = 0; ; count++) {
  const metadata = { name: `written-by-${identity}`, namespace: 'default' }
  const data = { count: String(count) }
  await leading.apply(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }).catch(() => undefined)
  await realClock.sleep(20)
}
