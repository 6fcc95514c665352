/** What the rules of the structure do not hold for yet, each with its reason. A line may go or get smaller, never grow. */

interface Exception {
  readonly reason: string
}

export interface Circle extends Exception {
  /** `''`: the root. Members are paths from here. */
  readonly folder: string
  readonly members: readonly string[]
}

export const moduleCircles: readonly Circle[] = [
  {
    folder: '',
    members: [
      'bridge-runtime/core/commit/by-watermark.ts',
      'bridge-runtime/core/commit/individual.ts',
      'bridge-runtime/core/commit/settlement.ts',
      'bridge-runtime/core/commit/watermark.ts',
    ],
    reason: 'both ways to settle take the type of the settlement that chooses one of them',
  },
  {
    folder: '',
    members: ['test/support/pubsub-fake/fake-pubsub.ts', 'test/support/pubsub-fake/status-details.ts'],
    reason: 'the details take the type of the error that they describe',
  },
]

export const folderCircles: readonly Circle[] = [
  {
    folder: '',
    members: ['bridge-runtime', 'crds'],
    reason: 'connectors declare their fields with crds/kit/, and crds/schema/ collects them from the catalogue',
  },
  {
    folder: 'bridge-runtime',
    members: ['history', 'leases'],
    reason: 'what was read is remembered in the stores of leases, and a lost lease asks what was read',
  },
  {
    folder: 'bridge-runtime/connectors/pubsub',
    members: ['ack', 'pull'],
    reason: 'the reader extends the leases of what it holds, and the leases take the type of a held message',
  },
  {
    folder: 'bridge-runtime/leases',
    members: ['opening', 'ownership'],
    reason: 'the coordinator opens partitions, and the opening writes to leases as their owner',
  },
  {
    folder: 'bridge-runtime/core',
    members: ['commit', 'delivery', 'health', 'intake', 'pump.ts'],
    reason: 'the three parts of a pump take types from one another',
  },
  {
    folder: 'bridge-runtime/core/commit',
    members: ['by-watermark.ts', 'individual.ts', 'settlement.ts', 'watermark.ts'],
    reason: 'the same circle of modules',
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
    value: 'bridge-runtime/leases/stores/memory.ts: memoryLeases',
    reason: 'the lease store of tests of partitioned sources',
  },
  { value: 'bridge-runtime/observability/logger.ts: silentLogger', reason: 'the logger of tests' },
]

export interface Crowd extends Exception {
  readonly folder: string
  /** Modules in it today, tests not counted. */
  readonly modules: number
}

export const crowdedFolders: readonly Crowd[] = [
  { folder: 'bridge-runtime/connectors', modules: 14, reason: 'what all connectors share is not sorted yet' },
]
