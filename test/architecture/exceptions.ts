/** What the rules of the structure do not hold for yet, each with its reason. A line may go or get smaller, never grow. */

interface Exception {
  readonly reason: string
}

export interface Circle extends Exception {
  /** `''`: the root. Members are paths from here. */
  readonly folder: string
  readonly members: readonly string[]
}

export const moduleCircles: readonly Circle[] = []

export const folderCircles: readonly Circle[] = [
  {
    folder: '',
    members: ['bridge-runtime', 'crds'],
    reason: 'connectors declare their fields with crds/kit/, and crds/schema/ collects them from the catalogue',
  },
]

export interface TestOnly extends Exception {
  /** `path: name` */
  readonly value: string
}

export const exportsForTests: readonly TestOnly[] = [
  {
    value: 'bridge-runtime/connectors/record-sizes.ts: fits',
    reason: 'the pairs of connectors of which a warning speaks',
  },
  { value: 'bridge-runtime/connectors/rolling.ts: rollingSink', reason: 'for connectors to come; the toys prove it' },
  {
    value: 'bridge-runtime/lease-stores/memory.ts: memoryLeases',
    reason: 'the lease store of tests of partitioned sources',
  },
  { value: 'bridge-runtime/observability/logger.ts: silentLogger', reason: 'the logger of tests' },
]

export interface Crowd extends Exception {
  readonly folder: string
  /** Modules in it today, tests not counted. */
  readonly modules: number
}

export const crowdedFolders: readonly Crowd[] = []
