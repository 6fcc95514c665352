import { hostname } from 'node:os'
import { milliseconds } from '../../crds/kit/units.ts'
import { openLeaseStore } from '../../bridge-runtime/lease-stores/catalog.ts'
import { readBridgeFile, runBridge } from '../../bridge-runtime/main.ts'
import { createLogger } from '../../bridge-runtime/observability/logger.ts'
import { type Command, listenAddress, port, stopSignal, text } from '../command.ts'

/** Milliseconds beyond the drain timeout after which a hanging shutdown is ended. */
const shutdownSlack = 5_000

export const bridge: Command = {
  help: `Usage: streambridge bridge --config FILE [OPTIONS]

Runs one replica of a bridge. The operator starts it; for a bridge in your terminal see "streambridge run".

  --config FILE        bridge file (JSON)
  --secrets DIR        where Secrets are mounted, as DIR/<secret>/<key> (default /etc/streambridge/secrets)
  --port PORT          for /livez /readyz /metrics /status (default 8080; 0 chooses one)
  --listen ADDRESS     IP address to serve them on (default: all of this machine)
  --replica NAME       this replica's name (default: POD_NAME, or the host's name)
  --config-hash HASH   reported on /status`,
  options: {
    config: { type: 'string' },
    secrets: { type: 'string' },
    port: { type: 'string' },
    listen: { type: 'string' },
    replica: { type: 'string' },
    'config-hash': { type: 'string' },
  },
  run: async (values) => {
    const file = await readBridgeFile(text(values, 'config'))
    const replica = text(values, 'replica', process.env['POD_NAME'] ?? hostname())
    const log = createLogger({ level: file.logLevel, fields: { bridge: `${file.namespace}/${file.name}`, replica } })
    await runBridge({
      file,
      configHash: text(values, 'config-hash', ''),
      secrets: text(values, 'secrets', '/etc/streambridge/secrets'),
      leases: await openLeaseStore(file.leases, {
        namespace: file.namespace,
        bridge: file.name,
        uid: file.uid,
        environment: process.env,
        now: Date.now,
      }),
      replica,
      port: port(values, 'port', 8080),
      host: listenAddress(values),
      log,
      signal: stopSignal(milliseconds(file.delivery.drainTimeout) + shutdownSlack),
    })
    return 0
  },
}
