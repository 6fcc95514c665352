import { kind, plural } from '../../crds/schema/streambridge.ts'
import { validateManifest } from '../../crds/validate.ts'
import { type Command, text } from '../command.ts'
import { isStreamBridge, type Manifest, ManifestError, readManifests } from '../manifests.ts'

/** `file: streambridge "orders"`, as kubectl names objects. */
function nameOf({ file, document, object }: Manifest): string {
  const name = (object['metadata'] as { readonly name?: unknown } | undefined)?.name
  return typeof name === 'string' ? `${file}: ${kind} "${name}"` : `${file}: document ${document}`
}

/** Prints findings; true when one of them is an error. */
export function reportFindings(manifests: readonly Manifest[], print: (line: string) => void): boolean {
  let refused = false
  for (const manifest of manifests) {
    for (const { path, message, severity } of validateManifest(manifest.object)) {
      refused ||= severity === 'error'
      print(
        `${nameOf(manifest)}: ${severity === 'warning' ? 'warning: ' : ''}${path === '' ? '' : `${path}: `}${message}`,
      )
    }
  }
  return refused
}

export const validate: Command = {
  help: `Usage: streambridge validate -f DIR|FILE

Checks every StreamBridge in a file, or in the YAML and JSON files of a directory, with the messages the API server would
give. Other kinds are passed over. Rules about changes to an existing object need the API server.

Exit code: 0 all valid, 1 something is refused, 2 nothing could be checked.`,
  options: { file: { type: 'string', short: 'f' } },
  run: async (values) => {
    const path = text(values, 'file')
    try {
      const bridges = (await readManifests(path)).filter(isStreamBridge)
      if (bridges.length === 0) {
        console.error(`${path}: no ${kind} in it`)
        return 2
      }
      if (reportFindings(bridges, (line) => console.error(line))) return 1
      console.log(`${bridges.length} ${bridges.length === 1 ? kind.toLowerCase() : plural} valid`)
      return 0
    } catch (thrown) {
      if (!(thrown instanceof ManifestError)) throw thrown
      console.error(thrown.message)
      return 2
    }
  },
}
