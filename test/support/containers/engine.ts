/** The Docker engine, and a container on it. */
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'
import { MissingTool } from '../cache.ts'

/** Milliseconds a server may take to be ready once its image is there. */
const patience = 180_000

/** Where the ports of containers are reached. Throws a MissingTool when no engine answers. */
export async function dockerHost(): Promise<string> {
  const client = await getContainerRuntimeClient().catch(() => undefined)
  if (client !== undefined) return client.info.containerRuntime.host
  const named = process.env['DOCKER_HOST']
  throw new MissingTool(
    named === undefined
      ? 'no Docker engine answers at the usual sockets: start one, or name its address in DOCKER_HOST'
      : `no Docker engine answers at ${named}, which DOCKER_HOST names: start it, or name another one`,
  )
}

/** Starts it, pulling the image where this engine has none. *Errors*: name the image. */
export async function startContainer(
  image: string,
  settings: (container: GenericContainer) => GenericContainer,
): Promise<StartedTestContainer> {
  await dockerHost()
  try {
    return await settings(new GenericContainer(image)).withStartupTimeout(patience).start()
  } catch (error) {
    throw new Error(`starting a container of ${image}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}
