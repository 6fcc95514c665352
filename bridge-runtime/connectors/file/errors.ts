import type { FileReason } from '../../../crds/kit/reasons/file.ts'
import { BridgeError } from '../../core/errors.ts'

const reasons: Readonly<Record<string, readonly [FileReason, string]>> = {
  ENOENT: ['DirectoryNotFound', 'create its directory'],
  ENOTDIR: ['DirectoryNotFound', 'one part of its path is no directory'],
  EACCES: ['PermissionDenied', 'let the bridge write there'],
  EROFS: ['ReadOnly', 'choose a writable place'],
  EISDIR: ['IsDirectory', 'name a file, not a directory'],
  ENOSPC: ['DiskFull', 'make room'],
}

/** All of them pass once a person has acted; the ones that pass by themselves are retryable. */
export function fileError(path: string, thrown: unknown): BridgeError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'Unknown'
  const known = reasons[code]
  if (known === undefined)
    return new BridgeError(`writing ${path}: ${code}`, { kind: 'retryable', reason: 'WriteFailed', cause: thrown })
  const [reason, advice] = known
  return new BridgeError(`writing ${path}: ${code}: ${advice}`, {
    kind: code === 'ENOSPC' ? 'retryable' : 'fatal',
    reason,
    cause: thrown,
  })
}
