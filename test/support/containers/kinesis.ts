/** A Kinesis endpoint in a container: the server that `test/support/kinesis.ts` runs as a process. */
import { Wait } from 'testcontainers'
import { kinesisRegion } from '../kinesis.ts'
import { startContainer } from './engine.ts'
import { images } from './images.ts'

/** Plain HTTP. Its README says to map the ports of the image rather than to change them. */
const plain = 4568

export interface KinesisContainer extends AsyncDisposable {
  readonly endpoint: string
}

export async function startKinesisContainer(): Promise<KinesisContainer> {
  const container = await startContainer(images.kinesis, (kinesis) =>
    kinesis
      .withEnvironment({ AWS_REGION: kinesisRegion, LOG_LEVEL: 'ERROR', SHARD_LIMIT: '1000' })
      .withExposedPorts(plain)
      .withWaitStrategy(Wait.forHttp('/healthcheck', plain)),
  )
  return {
    endpoint: `http://${container.getHost()}:${container.getMappedPort(plain)}`,
    [Symbol.asyncDispose]: async () => void (await container.stop()),
  }
}
