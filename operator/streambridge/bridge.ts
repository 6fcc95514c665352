/** A StreamBridge whose spec was parsed: what the pure parts work with. */
import type { BridgeFileInput } from '../../crds/schema/bridge-file.ts'
import type { StreamBridgeSpec } from '../../crds/schema/streambridge.ts'

export interface Bridge {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly spec: StreamBridgeSpec
  /** Where its leases are kept, if not in Kubernetes. */
  readonly leases?: NonNullable<BridgeFileInput['leases']>
}
