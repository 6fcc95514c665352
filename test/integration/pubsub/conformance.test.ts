import { pubsub } from '../../../bridge-runtime/connectors/pubsub/index.ts'
import { connectorSuite } from '../../conformance/connector-suite.ts'
import { proxied } from '../../conformance/servers/proxied.ts'
import { sharedPubsub } from '../../support/shared-servers.ts'
import { createStream, produce, readAll, sinkConfig, sourceConfig } from './harness.ts'

const shared = 'a subscription is one for all its readers: the service shares its messages out; see redelivery.test.ts'

connectorSuite({
  connector: pubsub,
  exceptions: {
    S14: 'nothing tells a subscription that a person made from one made again while the bridge was stopped; what can be told is, see identity.test.ts',
    S15: 'the service keeps no record for a subscription that is gone: that it is told is in identity.test.ts',
    S7: shared,
    S8: 'the backlog is known to Cloud Monitoring, which the emulator has not; see backlog.test.ts',
    S13: shared,
    S16: 'a message is bytes and text, which are handed on as they are',
  },
  lacks: {},
  secrets: {},
  // One request's worth: Google's emulator gives no more of a key while something of it is open.
  unsettled: 100,
  tooLarge: 10_000_001,
  target: sharedPubsub,
  createStream,
  sourceConfig,
  sinkConfig,
  produce,
  readAll,
  // A key that cannot sign never leaves the process; what the service answers to a wrong one is in refusals.test.ts.
  async wrongCredentials(stream) {
    const auth = { credentialsSecretRef: { name: 'gcp', key: 'key.json' } }
    const canary = 'wrong-canary-7f3a'
    const key = { type: 'service_account', client_email: 'bridge@p.iam.gserviceaccount.com', private_key: canary }
    const project = { projectID: 'streambridge-test', auth }
    return {
      source: { ...project, subscription: stream },
      sink: { ...project, topic: stream },
      secrets: { 'gcp/key.json': JSON.stringify(key) },
      canary,
      stop: () => Promise.resolve(),
    }
  },
  interruption: async () => proxied(await sharedPubsub()),
})
