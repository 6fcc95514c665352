/** A StreamBridge whose spec was parsed: what the pure parts work with. */
import type { StreamBridgeSpec } from '../../crds/schema/streambridge.ts'

export interface Bridge {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly spec: StreamBridgeSpec
}
