/**
 * The runtime's configuration, `bridge.json`: the part of the spec that moves records. The operator writes it into a
 * ConfigMap, so it holds names of Secrets, never their values. Fields that only the operator reads are left out: changing
 * them must not restart a runtime.
 */
import { z } from 'zod'
import { leaseStoreChoice } from '../../bridge-runtime/lease-stores/catalog.ts'
import { spec } from './streambridge.ts'
import { onTheWay } from './transforms.ts'

export const bridgeFile = z.object({
  namespace: z.string(),
  name: z.string(),
  /** UID of the StreamBridge: owner of the Leases the runtime makes. */
  uid: z.string(),
  source: spec.shape.source,
  sink: spec.shape.sink,
  ...onTheWay,
  delivery: spec.shape.delivery,
  /** Where leases and positions are kept of sources whose service keeps none. */
  leases: leaseStoreChoice.prefault({ kubernetes: {} }),
  /** Token of `lifecycle.reset`: a new one makes the bridge begin as if it had never run. */
  reset: z.string().optional(),
  logLevel: spec.shape.observability.unwrap().shape.logLevel,
})

export type BridgeFile = z.output<typeof bridgeFile>
/** What is written into the file: what a default says is left out. */
export type BridgeFileInput = z.input<typeof bridgeFile>
