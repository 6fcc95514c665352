/** What the containers are made of. Each tag is exact: another day's run is of the same servers. */
import manifest from '../../../package.json' with { type: 'json' }
import { kafkaVersion } from '../kafka.ts'

export const images = {
  kafka: `apache/kafka:${kafkaVersion}`,
  // The project that publishes npm's kinesis-local publishes this under the same version.
  kinesis: `ghcr.io/etspaceman/kinesis-mock:${manifest.devDependencies['kinesis-local']}`,
  // With the emulator of Debian's package google-cloud-cli-pubsub-emulator 528.0.0, which the tests were written against.
  pubsub: 'gcr.io/google.com/cloudsdktool/google-cloud-cli:528.0.0-emulators',
  eventHubs: 'mcr.microsoft.com/azure-messaging/eventhubs-emulator:2.2.1',
  /** Where Microsoft's emulator keeps what it holds. */
  azurite: 'mcr.microsoft.com/azure-storage/azurite:3.36.0',
} as const
