/**
 * Microsoft's Event Hubs emulator in a container, with the storage it needs in another one. To run it is to accept Microsoft's licence:
 * https://github.com/Azure/azure-event-hubs-emulator-installer/blob/main/EMULATOR_EULA.md. Settings and Config.json are those of that
 * repository's compose file and schemas, limits those of https://learn.microsoft.com/azure/event-hubs/overview-emulator.
 */
import { Network, type StartedNetwork, type StartedTestContainer, Wait } from 'testcontainers'
import { microsoftConnectionString } from '../event-hubs.ts'
import { consumerOf } from '../event-hubs-sdk.ts'
import { eventually } from '../eventually.ts'
import { startContainer } from './engine.ts'
import type { HubServer } from './hub-pool.ts'
import { images } from './images.ts'

const ports = { amqp: 5672, health: 5300 } as const
const storage = 'azurite'

/** Starts it with these hubs and waits until the last of them answers. */
export async function startEventHubsContainer(hubs: readonly string[], partitions: number): Promise<HubServer> {
  const started: (StartedTestContainer | StartedNetwork)[] = []
  const stop = async (): Promise<void> => {
    for (const each of started.toReversed()) await each.stop()
  }
  try {
    const network = await new Network().start()
    started.push(network)
    started.push(await startStorage(network))
    const container = await startEmulator(network, configuration(hubs, partitions))
    started.push(container)
    const endpoint = `${container.getHost()}:${container.getMappedPort(ports.amqp)}`
    await answers(endpoint, hubs.at(-1) ?? '')
    return { endpoint, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const startStorage = (network: StartedNetwork): Promise<StartedTestContainer> =>
  startContainer(images.azurite, (azurite) =>
    azurite
      .withNetwork(network)
      .withNetworkAliases(storage)
      // Of its three services the last to start.
      .withWaitStrategy(Wait.forLogMessage(/Azurite Table service is successfully listening/)),
  )

const startEmulator = (network: StartedNetwork, config: string): Promise<StartedTestContainer> =>
  startContainer(images.eventHubs, (emulator) =>
    emulator
      .withNetwork(network)
      .withEnvironment({ ACCEPT_EULA: 'Y', BLOB_SERVER: storage, METADATA_SERVER: storage })
      .withCopyContentToContainer([
        { content: config, target: '/Eventhubs_Emulator/ConfigFiles/Config.json', mode: 0o644 },
      ])
      .withExposedPorts(ports.amqp, ports.health)
      .withWaitStrategy(Wait.forHttp('/health', ports.health)),
  )

/** The namespace has this name and no other; numbers of partitions are texts; `$Default` is there by itself. */
function configuration(hubs: readonly string[], partitions: number): string {
  const Entities = hubs.map((Name) => ({
    Name,
    PartitionCount: String(partitions),
    ConsumerGroups: [{ Name: 'unused' }],
  }))
  const NamespaceConfig = [{ Type: 'EventHub', Name: 'emulatorNs1', Entities }]
  return JSON.stringify({ UserConfig: { NamespaceConfig, LoggingConfig: { Type: 'Console' } } })
}

async function answers(endpoint: string, hub: string): Promise<void> {
  await using consumer = consumerOf(microsoftConnectionString(endpoint, hub))
  await eventually(`event hub ${hub} at ${endpoint}`, () => consumer.getPartitionIds(), undefined, { within: 90_000 })
}
