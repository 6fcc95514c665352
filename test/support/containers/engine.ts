/** The Docker engine, and a container on it. */
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
} from 'testcontainers'
import { MissingTool } from '../cache.ts'

/** Milliseconds a server may take to be ready once its image is there. */
const patience = 180_000

async function engine(): Promise<ContainerRuntimeClient> {
  const client = await getContainerRuntimeClient().catch(() => undefined)
  if (client !== undefined) return client
  const named = process.env['DOCKER_HOST']
  throw new MissingTool(
    named === undefined
      ? 'no Docker engine answers at the usual sockets: start one, or name its address in DOCKER_HOST'
      : `no Docker engine answers at ${named}, which DOCKER_HOST names: start it, or name another one`,
  )
}

/** Where the ports of containers are reached. Throws a MissingTool when no engine answers. */
export const dockerHost = async (): Promise<string> => (await engine()).info.containerRuntime.host

/** Pulls the image unless the engine has it: then it says so, because that takes its time. *Errors*: name the image. */
export async function pullImage(image: string): Promise<void> {
  const client = await engine()
  const name = ImageName.fromString(image)
  if (await client.image.exists(name)) return
  console.log(`pulling ${image}`)
  try {
    await client.image.pull(name)
  } catch (error) {
    throw failure(`pulling ${image}`, error)
  }
  // A pull that fails on its way ends like one that does not.
  if (!(await client.image.exists(name))) throw new Error(`pulling ${image}: the registry did not give it`)
}

/** *Errors*: name the image. */
export async function startContainer(
  image: string,
  settings: (container: GenericContainer) => GenericContainer,
): Promise<StartedTestContainer> {
  try {
    return await settings(new GenericContainer(image)).withStartupTimeout(patience).start()
  } catch (error) {
    throw failure(`starting a container of ${image}`, error)
  }
}

const failure = (what: string, error: unknown): Error =>
  new Error(`${what}: ${error instanceof Error ? error.message.trim() : String(error)}`, { cause: error })
