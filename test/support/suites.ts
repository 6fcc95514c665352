/** Which test file belongs where, and what it needs. */

export type Need = 'kafka' | 'kinesis' | 'pubsub' | 'eventHubs' | 'kube' | 'python' | 'azureGo'

export interface Suite {
  readonly name: string
  /** Paths begin with one of these. */
  readonly folders: readonly string[]
  readonly needs: readonly Need[]
}

/** In the order they run: the quickest answer first. A file belongs to the first suite that has its folder. */
export const suites: readonly Suite[] = [
  {
    name: 'unit',
    folders: ['crds/', 'operator/', 'bridge-runtime/', 'cli/', 'test/support/', 'test/emulators/', 'test/bench/'],
    needs: [],
  },
  {
    name: 'architecture',
    folders: ['test/architecture.test.ts', 'test/architecture/', 'test/conformance/'],
    needs: [],
  },
  { name: 'golden', folders: ['test/golden/'], needs: [] },
  { name: 'toys', folders: ['test/toys/'], needs: [] },
  { name: 'api', folders: ['test/api/'], needs: ['kube'] },
  { name: 'kafka', folders: ['test/integration/kafka/'], needs: ['kafka'] },
  { name: 'kinesis', folders: ['test/integration/kinesis/'], needs: ['kinesis'] },
  { name: 'pubsub', folders: ['test/integration/pubsub/'], needs: ['pubsub'] },
  { name: 'event-hubs', folders: ['test/integration/event-hubs/'], needs: ['eventHubs'] },
  { name: 'azure-sdks', folders: ['test/integration/azure-sdks/'], needs: ['python', 'azureGo'] },
  { name: 'kube', folders: ['test/integration/kube/'], needs: ['kube'] },
  { name: 'operator', folders: ['test/integration/operator/'], needs: ['kube'] },
  {
    name: 'witness',
    folders: ['test/witness/'],
    needs: ['kafka', 'kinesis', 'pubsub', 'eventHubs', 'python'],
  },
  { name: 'trials', folders: ['test/trials/'], needs: ['kafka', 'kinesis', 'pubsub', 'eventHubs'] },
  { name: 'examples', folders: ['test/examples/'], needs: ['kafka', 'kinesis', 'pubsub', 'eventHubs'] },
  { name: 'matrix', folders: ['test/matrix/'], needs: ['kafka', 'kinesis', 'pubsub', 'eventHubs'] },
  { name: 'chaos', folders: ['test/chaos/'], needs: ['kafka', 'kinesis', 'pubsub', 'eventHubs'] },
]

/** Run by a command of its own: `make e2e`. */
const elsewhere = ['test/e2e/']

export interface Sorted {
  readonly suite: Suite
  readonly files: readonly string[]
}

/** Sorts test files (paths from the root, with `/`) into suites. Throws for a file that would never run. */
export function sortFiles(files: readonly string[]): readonly Sorted[] {
  const within = (file: string, folders: readonly string[]): boolean =>
    folders.some((folder) => file.startsWith(folder))
  const homeless = files.filter(
    (file) => !within(file, elsewhere) && !suites.some(({ folders }) => within(file, folders)),
  )
  if (homeless.length > 0)
    throw new Error(`no suite runs ${homeless.join(', ')}: move the file, or add its folder to test/support/suites.ts`)
  return suites.map((suite) => ({
    suite,
    files: files.filter((file) => suites.find(({ folders }) => within(file, folders)) === suite).sort(),
  }))
}

/** Keeps the suites that are named, or all; a path keeps the files that begin with it. Throws for a name that is neither. */
export function choose(sorted: readonly Sorted[], wanted: readonly string[]): readonly Sorted[] {
  if (wanted.length === 0) return sorted.filter(({ files }) => files.length > 0)
  for (const name of wanted) {
    const known = sorted.some(({ suite, files }) => suite.name === name || files.some((file) => file.startsWith(name)))
    if (!known)
      throw new Error(`no suite and no test file "${name}"; suites: ${suites.map(({ name }) => name).join(', ')}`)
  }
  return sorted
    .map(({ suite, files }) => ({
      suite,
      files: files.filter((file) => wanted.some((name) => suite.name === name || file.startsWith(name))),
    }))
    .filter(({ files }) => files.length > 0)
}
