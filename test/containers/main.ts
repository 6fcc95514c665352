/** `npm run conformance:containers`: the conformance suite on servers in containers. `help` has the rest. */
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { dockerHost, pullImage } from '../support/containers/engine.ts'
import { images } from '../support/containers/images.ts'
import { startKafkaContainer } from '../support/containers/kafka.ts'
import { startKinesisContainer } from '../support/containers/kinesis.ts'
import { startPubsubContainer } from '../support/containers/pubsub.ts'
import { runFiles } from '../support/run-files.ts'
import { kafkaVariable, kinesisVariable, ownServersVariable, pubsubVariable } from '../support/shared-servers.ts'
import { Reporter } from '../support/test-reporter.ts'

const root = join(import.meta.dirname, '../..')

interface Server {
  readonly images: readonly string[]
  /** Starts what all tests of the file share, and passes its address on. */
  start(): Promise<AsyncDisposable>
}

const servers: Readonly<Record<string, Server>> = {
  kafka: {
    images: [images.kafka],
    async start() {
      const server = await startKafkaContainer()
      process.env[kafkaVariable] = server.bootstrapServers
      return server
    },
  },
  kinesis: {
    images: [images.kinesis],
    async start() {
      const server = await startKinesisContainer()
      process.env[kinesisVariable] = server.endpoint
      return server
    },
  },
  pubsub: {
    images: [images.pubsub],
    async start() {
      const server = await startPubsubContainer()
      process.env[pubsubVariable] = server.address
      return server
    },
  },
  // Its hubs are made when it starts: the tests start servers as they want hubs.
  'event-hubs': { images: [images.eventHubs, images.azurite], start: async () => new AsyncDisposableStack() },
}

const help = `The conformance suite on servers in containers

Usage: npm run conformance:containers [-- NAME...]

NAME is one of ${Object.keys(servers).join(', ')}; all of them unless told. Needs a Docker engine at one of its usual sockets, or at
DOCKER_HOST. Images that it has not are pulled:
${Object.values(servers)
  .flatMap((server) => server.images)
  .map((image) => `  ${image}`)
  .join('\n')}
To run event-hubs is to accept Microsoft's licence for its emulator:
  https://github.com/Azure/azure-event-hubs-emulator-installer/blob/main/EMULATOR_EULA.md`

/** A person asked for something that does not exist. */
class UsageError extends Error {}

function chosen(): readonly (readonly [string, Server])[] | undefined {
  let given
  try {
    given = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  if (given.values.help === true) return undefined
  const unknown = given.positionals.find((name) => !Object.hasOwn(servers, name))
  if (unknown !== undefined) throw new UsageError(`no server "${unknown}"; servers: ${Object.keys(servers).join(', ')}`)
  return Object.entries(servers).filter(([name]) => given.positionals.length === 0 || given.positionals.includes(name))
}

async function startOf(server: Server): Promise<AsyncDisposable> {
  for (const image of server.images) await pullImage(image)
  return server.start()
}

/** One server after the other: the least memory, and nothing disturbs what is measured in seconds. */
async function runOn(name: string, server: Server, reporter: Reporter): Promise<void> {
  const started = await startOf(server).catch((error: Error) => error)
  if (started instanceof Error) return reporter.suiteSkipped(name, started.message)
  await using _ = started
  reporter.suiteBegins(`${name} (${server.images.join(', ')})`, 1)
  await runFiles([`test/integration/${name}/conformance.test.ts`], reporter)
  reporter.suiteEnds()
}

async function main(): Promise<number> {
  const wanted = chosen()
  if (wanted === undefined) {
    console.log(help)
    return 0
  }
  await dockerHost()
  process.env[ownServersVariable] = 'containers'
  const reporter = new Reporter((file) => relative(root, file))
  for (const [name, server] of wanted) await runOn(name, server, reporter)
  const { passed, failed, skippedSuites } = reporter.summary()
  // Asked for by name: a server that did not start is a failure.
  return failed === 0 && skippedSuites === 0 && passed > 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  if (error instanceof UsageError) console.error('See npm run conformance:containers -- --help')
  process.exitCode = error instanceof UsageError ? 2 : 1
}
