/**
 * Runs the tests: `node test/run.ts [SUITE|FILE...]`. Starts each server the suites share once. A suite whose server cannot start
 * is skipped by name with the reason, and fails the run where CI=true. The last line is `N passed, N failed, N skipped`.
 */
import { globSync } from 'node:fs'
import { join, relative } from 'node:path'
import { azureGoJudge } from './support/azure-go-judge.ts'
import { cacheRoot } from './support/cache.ts'
import { startEventHubs } from './support/event-hubs.ts'
import { startKafka } from './support/kafka.ts'
import { startKinesis } from './support/kinesis.ts'
import { kubeBinaries } from './support/kube-binaries.ts'
import { startPubsub } from './support/pubsub.ts'
import { pythonWithClients } from './support/python.ts'
import { runFiles } from './support/run-files.ts'
import {
  eventHubsAddress,
  eventHubsVariable,
  kafkaVariable,
  kinesisVariable,
  pubsubVariable,
} from './support/shared-servers.ts'
import { choose, type Need, type Sorted, sortFiles } from './support/suites.ts'
import { type Outcome, Reporter } from './support/test-reporter.ts'

const root = join(import.meta.dirname, '..')

// Every test file, and every bridge that one starts, is a process of its own: each would compile the same modules again.
process.env['NODE_COMPILE_CACHE'] ??= join(cacheRoot, 'compiled')

/** Makes what suites need ready; each is asked for once. They end with this process. */
const prepare: Record<Need, () => Promise<void>> = {
  kafka: async () => {
    process.env[kafkaVariable] ??= (await startKafka({ heap: 768 })).bootstrapServers
  },
  kinesis: async () => {
    process.env[kinesisVariable] ??= (await startKinesis()).endpoint
  },
  eventHubs: async () => {
    process.env[eventHubsVariable] ??= eventHubsAddress(await startEventHubs({ durable: false }))
  },
  pubsub: async () => {
    process.env[pubsubVariable] ??= (await startPubsub()).address
  },
  // Each file starts its own servers; what takes long is to build them.
  kube: async () => void (await kubeBinaries()),
  azureGo: async () => void (await azureGoJudge()),
  python: async () => void (await pythonWithClients()),
}

/** Ends the test processes with this one. */
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted.abort()
    process.exit(130)
  })

const prepared = new Map<Need, Promise<string | undefined>>()

/** Undefined when it is ready, otherwise why it is not. */
function ready(need: Need): Promise<string | undefined> {
  const already = prepared.get(need)
  if (already !== undefined) return already
  const outcome = prepare[need]().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  prepared.set(need, outcome)
  return outcome
}

async function runSuite({ suite, files }: Sorted, reporter: Reporter): Promise<void> {
  const lacking = (await Promise.all(suite.needs.map(ready))).find((reason) => reason !== undefined)
  if (lacking !== undefined) return reporter.suiteSkipped(suite.name, lacking)
  reporter.suiteBegins(suite.name, files.length)
  await runFiles(files, reporter)
  reporter.suiteEnds()
}

function exitCode({ passed, failed, skippedSuites }: Outcome): number {
  if (failed > 0 || passed === 0) return 1
  return process.env['CI'] === 'true' && skippedSuites > 0 ? 1 : 0
}

const found = globSync('{crds,operator,bridge-runtime,cli,test}/**/*.test.ts', { cwd: root })
const chosen = choose(
  sortFiles(found.map((file) => file.replaceAll('\\', '/'))),
  process.argv.slice(2).map((name) => name.replace(/^\.\//, '')),
)
const reporter = new Reporter((file) => relative(root, file))
for (const sorted of chosen) await runSuite(sorted, reporter)
const outcome = reporter.summary()
process.exit(exitCode(outcome))
