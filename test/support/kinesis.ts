/** A Kinesis endpoint as a local process: npm `kinesis-local`. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { awaitReady, freePorts, removeDirectory, startServer, temporaryDirectory } from './server-process.ts'

export interface KinesisOptions {
  /** Where clients reach it. Default 127.0.0.1. It listens on every address of the machine in any case. */
  readonly host?: string
  /** Megabytes of heap: it keeps every record in memory. Default 2048. */
  readonly heap?: number
}

export interface KinesisServer extends AsyncDisposable {
  /** Plain HTTP. */
  readonly endpoint: string
  readonly region: string
  readonly logFile: string
  stop(): Promise<void>
  /** SIGKILL. Everything it held is lost. */
  kill(): Promise<void>
  pause(): void
  resume(): void
}

export const kinesisRegion = 'us-east-1'
/** What the endpoint takes as credentials; it checks none. The access key is no account id, so streams are of the default account. */
export const kinesisCredentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' }

const preloads = ['./kinesis-local-speed.ts', './kinesis-local-connections.ts'].flatMap((file) => [
  '--import',
  import.meta.resolve(file),
])

/** Starts it and waits until it answers. */
export async function startKinesis(options: KinesisOptions = {}): Promise<KinesisServer> {
  const main = createRequire(import.meta.url).resolve('kinesis-local/main.js')
  const directory = temporaryDirectory('kinesis')
  const [plain = 0, tls = 0] = await freePorts(2)
  const server = await startServer({
    name: 'kinesis',
    command: process.execPath,
    args: [`--max-old-space-size=${options.heap ?? 2048}`, '--no-warnings', ...preloads, main],
    directory,
    // It reads its certificate from its working directory.
    cwd: dirname(main),
    env: {
      PATH: process.env['PATH'],
      KINESIS_MOCK_PLAIN_PORT: String(plain),
      KINESIS_MOCK_TLS_PORT: String(tls),
      AWS_REGION: kinesisRegion,
      LOG_LEVEL: 'ERROR',
      SHARD_LIMIT: '1000',
    },
  })
  const host = options.host ?? '127.0.0.1'
  await awaitReady(server, 'Kinesis', async () => (await fetch(`http://127.0.0.1:${plain}/healthcheck`)).ok)
  const stop = async (): Promise<void> => {
    await server.stop(2_000)
    removeDirectory(directory)
  }
  return {
    endpoint: `http://${host}:${plain}`,
    region: kinesisRegion,
    logFile: server.logFile,
    stop,
    async kill() {
      server.signal('SIGKILL')
      await server.exited()
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  }
}

/** The AWS SDK's client, over HTTP/1.1: the independent client of the tests. */
export const kinesisClient = (endpoint: string): KinesisClient =>
  new KinesisClient({
    endpoint,
    region: kinesisRegion,
    credentials: kinesisCredentials,
    requestHandler: new NodeHttpHandler({ connectionTimeout: 2_000, requestTimeout: 30_000 }),
  })

/** Makes a stream and waits until it is active. */
export async function createStream(endpoint: string, stream: string, shards = 4): Promise<void> {
  const client = kinesisClient(endpoint)
  try {
    await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: shards }))
    for (;;) {
      const { StreamDescriptionSummary: found } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName: stream }),
      )
      if (found?.StreamStatus === 'ACTIVE') return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } finally {
    client.destroy()
  }
}
