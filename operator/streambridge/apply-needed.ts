/** Which writes change anything: an object that is as it should be is not written again. Pure. */
import type { KubeObject } from '../kube/api.ts'
import { hashOf, plain } from '../kube/format/canonical.ts'
import { quantityValue } from '../kube/format/quantity.ts'
import { appliedAnnotation } from './desired/labels.ts'
import type { Child } from './owned.ts'

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.keys(value).length === 0)

function sameText(wanted: unknown, stored: unknown): boolean {
  if (wanted === stored) return true
  if (typeof wanted !== 'string' || typeof stored !== 'string') return false
  const value = quantityValue(wanted)
  return value !== undefined && value === quantityValue(stored)
}

/** True when `stored` holds all that is wanted; it may hold more: defaults and what others own. */
export function holds(stored: unknown, wanted: unknown): boolean {
  if (isEmpty(wanted)) return true
  if (Array.isArray(wanted))
    return (
      Array.isArray(stored) &&
      stored.length === wanted.length &&
      wanted.every((item, index) => holds(stored[index], item))
    )
  if (isRecord(wanted))
    return isRecord(stored) && Object.entries(wanted).every(([field, value]) => holds(stored[field], value))
  return sameText(wanted, stored)
}

/** The object as it is applied: marked with the hash of itself, so that a field that is no longer wanted is noticed. */
export function marked(object: KubeObject): KubeObject {
  const bare = plain(object)
  const annotations = { ...bare.metadata.annotations, [appliedAnnotation]: hashOf(bare) }
  return { ...bare, metadata: { ...bare.metadata, annotations } }
}

/** The marked objects that differ from what is there. */
export function differing(wanted: readonly Child[], children: readonly Child[]): readonly Child[] {
  return wanted.flatMap(({ resource, object }) => {
    const full = marked(object)
    const there = children.find(
      (child) => child.resource === resource && child.object.metadata.name === object.metadata.name,
    )
    return there !== undefined && holds(there.object, full) ? [] : [{ resource, object: full }]
  })
}
