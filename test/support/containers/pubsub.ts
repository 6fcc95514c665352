/** Google's Pub/Sub emulator in a container of Google's own. */
import { Wait } from 'testcontainers'
import { pubsubProject } from '../pubsub.ts'
import { startContainer } from './engine.ts'
import { images } from './images.ts'

const port = 8085
const start = ['gcloud', 'beta', 'emulators', 'pubsub', 'start']

export interface PubsubContainer extends AsyncDisposable {
  /** host:port, plain text. */
  readonly address: string
}

export async function startPubsubContainer(): Promise<PubsubContainer> {
  const container = await startContainer(images.pubsub, (pubsub) =>
    pubsub
      // Unless told it listens at ::1, says gcloud's reference of this command.
      .withCommand([...start, `--host-port=0.0.0.0:${port}`, `--project=${pubsubProject}`])
      .withExposedPorts(port)
      .withWaitStrategy(Wait.forHttp('/', port)),
  )
  return {
    address: `${container.getHost()}:${container.getMappedPort(port)}`,
    [Symbol.asyncDispose]: async () => void (await container.stop()),
  }
}
