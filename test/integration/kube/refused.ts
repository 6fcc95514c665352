import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { KubeError } from '../../../operator/kube/api.ts'

/** For assert.rejects: the error is a KubeError with this status, reason and message. */
export const refused = (status: number, reason: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof KubeError, String(error))
  assert.deepEqual([error.status, error.reason], [status, reason], error.message)
  if (message !== undefined) assert.match(error.message, message)
  return true
}

export const uniqueName = (): string => `t${randomUUID().slice(0, 8)}`
