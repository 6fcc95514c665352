import { runOperatorProcess } from '../../operator/main.ts'
import { type Command, stopSignal, text } from '../command.ts'

/** Milliseconds for a clean stop: giving up the leadership, flushing events. */
const shutdown = 10_000

export const operator: Command = {
  help: `Usage: streambridge operator [OPTIONS]

Reconciles StreamBridge objects of the cluster it runs in, or of the kubeconfig's.

  --allowed-images PATTERNS            images that spec.image may name, separated by commas; * is any text (default: any)
  --allowed-service-accounts PATTERNS  the same of spec.serviceAccountName

Other settings come from the environment:

  STREAMBRIDGE_IMAGE   image of the bridges' pods (required)
  ALLOWED_IMAGES, ALLOWED_SERVICE_ACCOUNTS  the options above
  WATCH_NAMESPACES     comma-separated; default: all
  LEADER_ELECT         true (default) or false
  METRICS_PORT         for /livez /readyz /metrics (default 8080)
  LOG_LEVEL            debug, info (default), warn or error
  REPORT_INTERVAL      time between two looks at the replicas: 5s
  RESYNC               time after which everything is read again (default 10m)
  POD_NAME, POD_NAMESPACE  who and where this operator is`,
  options: { 'allowed-images': { type: 'string' }, 'allowed-service-accounts': { type: 'string' } },
  run: async (values) => {
    const { env } = process
    const environment = {
      ...env,
      ALLOWED_IMAGES: text(values, 'allowed-images', env['ALLOWED_IMAGES'] ?? ''),
      ALLOWED_SERVICE_ACCOUNTS: text(values, 'allowed-service-accounts', env['ALLOWED_SERVICE_ACCOUNTS'] ?? ''),
    }
    await runOperatorProcess(environment, stopSignal(shutdown))
    return 0
  },
}
