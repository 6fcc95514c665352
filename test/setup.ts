/**
 * Fetches and builds what the tests start, once per machine; later calls return at once, without network. What cannot be had is
 * told here and skipped by the tests.
 */
import { azureGoJudge } from './support/azure-go-judge.ts'
import { cacheRoot } from './support/cache.ts'
import { kafkaClasspath } from './support/kafka.ts'
import { kubeBinaries } from './support/kube-binaries.ts'
import { pubsubEmulatorJar } from './support/pubsub.ts'
import { pythonWithClients } from './support/python.ts'
import { runCommand } from './support/run-command.ts'

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  'Kafka (Java, Maven)': async () => {
    const classpath = await kafkaClasspath()
    await runCommand('java', ['-version'], { install: 'apt-get install openjdk-17-jre-headless' })
    return classpath
  },
  'Pub/Sub emulator (Java)': async () => pubsubEmulatorJar(),
  'certificates (openssl)': () => runCommand('openssl', ['version'], { install: 'apt-get install openssl' }),
  "vendors' clients in Python": pythonWithClients,
  'Event Hubs SDK (Go)': azureGoJudge,
  'Kubernetes API (Go)': kubeBinaries,
}

let missing = 0
for (const [name, make] of Object.entries(parts)) {
  const begin = performance.now()
  try {
    await make()
    const seconds = (performance.now() - begin) / 1000
    if (seconds > 5) console.log(`${name}: ready in ${seconds.toFixed(0)} s, kept in ${cacheRoot}`)
  } catch (error) {
    missing++
    console.error(`${name}: MISSING. ${error instanceof Error ? error.message : String(error)}`)
  }
}
if (missing > 0 && process.env['CI'] === 'true') process.exitCode = 1
