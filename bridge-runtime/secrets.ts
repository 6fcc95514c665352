import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadSecret } from './connectors/define-connector.ts'
import { BridgeError } from './core/errors.ts'

/** Reads Secrets from files mounted as `<directory>/<secret>/<key>`. Never cached: rotation replaces the files. */
export const mountedSecrets =
  (directory: string): ReadSecret =>
  async ({ name, key }) => {
    try {
      return await readFile(join(directory, name, key))
    } catch (cause) {
      throw new BridgeError(`Secret "${name}" has no key "${key}": add it to the Secret`, {
        kind: 'fatal',
        reason: 'SecretKeyNotFound',
        cause,
      })
    }
  }
