/**
 * Google's emulator, behind a relay that hides what it is: StreamBridge reads it over streams then, as it reads the service, and
 * as the naive loop does. (An emulator is asked by single requests, to keep order through kills: decision 0020.)
 */
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts'
import { type PubsubServer, startPubsub } from '../../support/pubsub.ts'

export interface PubsubAsService {
  /** host:port, the same for ever. */
  readonly address: string
  /** A new emulator behind it: after nine pairs and some million messages one and the same did not answer any more. */
  renew(): Promise<void>
}

export async function pubsubAsService(): Promise<PubsubAsService> {
  let emulator: PubsubServer | undefined
  const relay = await startTcpProxy('127.0.0.1:0')
  relay.fault({ refuseStarting: 'GET ' })
  return {
    address: relay.address,
    async renew() {
      await emulator?.stop()
      emulator = await startPubsub({ heap: 6144 })
      relay.retarget(emulator.address)
    },
  }
}
