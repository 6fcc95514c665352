import { runOperatorProcess } from '../../operator/main.ts'
import { type Command, stopSignal } from '../command.ts'

/** Milliseconds for a clean stop: giving up the leadership, flushing events. */
const shutdown = 10_000

export const operator: Command = {
  help: `Usage: streambridge operator

Reconciles StreamBridge objects of the cluster it runs in, or of the kubeconfig's. Settings come from the environment:

  STREAMBRIDGE_IMAGE   image of the bridges' pods (required)
  WATCH_NAMESPACES     comma-separated; default: all
  LEADER_ELECT         true (default) or false
  METRICS_PORT         for /livez /readyz /metrics (default 8080)
  LOG_LEVEL            debug, info (default), warn or error
  REPORT_INTERVAL      time between two looks at the replicas: 5s
  RESYNC               time after which everything is read again (default 10m)
  POD_NAME, POD_NAMESPACE  who and where this operator is`,
  options: {},
  run: async () => {
    await runOperatorProcess(process.env, stopSignal(shutdown))
    return 0
  },
}
