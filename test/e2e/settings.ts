/** What the end-to-end suite is told by its environment. */
import { networkInterfaces } from 'node:os'

export interface Settings {
  /** Name and tag of the image to build. */
  readonly image: string
  /** The image's name as the node knows it: an engine may store `NAME:TAG` as `docker.io/library/NAME:TAG`. */
  readonly imageInCluster: string
  /** Command that builds the image; `-t IMAGE .` is added. */
  readonly imageBuilder: readonly string[]
  /** Command that brings the image to the cluster's nodes; `IMAGE` is added. */
  readonly imageLoader: readonly string[]
  /** This machine's address as pods reach it. */
  readonly host: string
  /** The API server's audit log (JSON lines), where it can be read. */
  readonly auditLog: string | undefined
  /** Records of each flow. */
  readonly records: number
  /** Leave everything installed at the end. */
  readonly keep: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/** Reads IMAGE_BUILDER, IMAGE_LOADER, HOST_ADDRESS, AUDIT_LOG and E2E_*. Defaults are for kind. */
export function readSettings(environment: Environment): Settings {
  const image = environment['E2E_IMAGE'] ?? 'streambridge:e2e'
  if (environment['CI'] === 'true' && environment['AUDIT_LOG'] === undefined)
    throw new Error(
      "AUDIT_LOG is not set: name the API server's audit log (JSON lines), nothing may be skipped with CI=true",
    )
  return {
    image,
    imageInCluster: environment['E2E_IMAGE_IN_CLUSTER'] ?? `docker.io/library/${image}`,
    imageBuilder: words(environment['IMAGE_BUILDER'] ?? 'docker build'),
    imageLoader: words(environment['IMAGE_LOADER'] ?? 'kind load docker-image'),
    host: environment['HOST_ADDRESS'] ?? address(),
    auditLog: environment['AUDIT_LOG'],
    records: Number(environment['E2E_RECORDS'] ?? 100_000),
    keep: environment['E2E_KEEP'] !== undefined,
  }
}

/** The first address of this machine that is not its loopback. */
function address(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)
  if (found === undefined) throw new Error('no network address: set HOST_ADDRESS to an address that pods reach')
  return found.address
}
