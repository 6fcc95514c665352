/** Who may read a partition in a consumer group: the service's epoch (owner level) rules. */
import { condition } from './conditions.ts'

export interface Claim {
  /** For people: the consumer's name. */
  readonly reader: string
  /** Undefined for a reader that claims nothing. */
  readonly epoch: number | undefined
}

/** Readers without an epoch that may share a partition in one group. */
export const readerLimit = 5

export type Admission<C extends Claim> =
  | { readonly kind: 'refused'; readonly condition: string; readonly description: string }
  | { readonly kind: 'admitted'; readonly displaced: readonly C[] }

/** Decides about a newcomer. Displaced readers are to be detached before it gets its first event. */
export function admit<C extends Claim>(present: readonly C[], newcomer: Claim): Admission<C> {
  const owner = present.find(({ epoch }) => epoch !== undefined)
  if (newcomer.epoch === undefined) return admitShared(present, owner, newcomer)
  if (owner?.epoch !== undefined && newcomer.epoch < owner.epoch)
    return {
      kind: 'refused',
      condition: condition.stolen,
      description: `Receiver '${newcomer.reader}' with epoch '${newcomer.epoch}' cannot be created: receiver '${owner.reader}' with higher epoch '${owner.epoch}' exists.`,
    }
  return { kind: 'admitted', displaced: present }
}

function admitShared<C extends Claim>(present: readonly C[], owner: C | undefined, { reader }: Claim): Admission<C> {
  if (owner !== undefined)
    return {
      kind: 'refused',
      condition: condition.stolen,
      description: `Receiver '${reader}' without epoch cannot be created: receiver '${owner.reader}' with epoch '${owner.epoch}' exists.`,
    }
  if (present.length >= readerLimit)
    return {
      kind: 'refused',
      condition: condition.resourceLimitExceeded,
      description: `Exceeded the maximum number of allowed receivers per partition in a consumer group which is ${readerLimit}.`,
    }
  return { kind: 'admitted', displaced: [] }
}

/** What a displaced reader is told. */
export const displacedBy = (newcomer: Claim, displaced: Claim): string =>
  `New receiver '${newcomer.reader}' with higher epoch of '${newcomer.epoch}' is created hence current receiver ` +
  `'${displaced.reader}' with epoch '${displaced.epoch ?? 'none'}' is getting disconnected.`
