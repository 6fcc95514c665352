import { UsageError } from './command.ts'
import { isStreamBridge, type Manifest } from './manifests.ts'

const nameOf = ({ object }: Manifest): string =>
  String((object['metadata'] as { readonly name?: unknown } | undefined)?.name)

/** The one StreamBridge that is meant. *Errors*: UsageError where there is none, or several and no name. */
export function chosenBridge(manifests: readonly Manifest[], path: string, name: string | undefined): Manifest {
  const bridges = manifests.filter(isStreamBridge)
  const names = bridges.map(nameOf)
  const chosen = bridges[name === undefined ? 0 : names.indexOf(name)]
  if (chosen === undefined)
    throw new UsageError(`${path} has no StreamBridge${name === undefined ? '' : ` named "${name}"`}`)
  if (name === undefined && bridges.length > 1)
    throw new UsageError(`${path} has several StreamBridges: choose one with --name ${names.join('|')}`)
  return chosen
}
