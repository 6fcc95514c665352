/** Apache Kafka's MirrorMaker 2 in dedicated mode, with its defaults where they do not add work to copying. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaVersion } from '../support/kafka.ts'
import { mavenClasspath } from '../support/maven.ts'
import { startServer, temporaryDirectory } from '../support/server-process.ts'
import type { Contender, Route } from './pair.ts'

const alias = 'mirrormaker'

/** Its jars, fetched once. */
export const mirrorMakerClasspath = (): Promise<string> =>
  mavenClasspath(`mirror-maker-${kafkaVersion}`, [
    `org.apache.kafka:connect-mirror:${kafkaVersion}`,
    `org.apache.kafka:connect-runtime:${kafkaVersion}`,
    'org.slf4j:slf4j-simple:1.7.36',
  ])

/** The flags of Kafka's own start scripts, and half of the heap that they allow Connect: 1 GiB. */
const javaFlags = ['-Xms256m', '-Xmx1g', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']
const logFlag = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
const moreJavaFlags = ['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent']

/** `tasks`: how many tasks share the partitions. */
export const mirrorMaker = (tasks: number): Contender => ({
  name: 'MirrorMaker 2',
  alias,
  async start(route) {
    const directory = temporaryDirectory('mirror-maker')
    const properties = join(directory, 'mm2.properties')
    writeFileSync(properties, text(route, tasks))
    const classpath = await mirrorMakerClasspath()
    return startServer({
      name: 'mirror-maker',
      command: 'java',
      args: [
        ...javaFlags,
        ...moreJavaFlags,
        logFlag,
        '-cp',
        classpath,
        'org.apache.kafka.connect.mirror.MirrorMaker',
        properties,
      ],
      directory,
    })
  },
})

/** It names its copies `<alias of the source cluster>.<topic>`. */
function text({ bootstrapServers, source }: Route, tasks: number): string {
  const flow = `${alias}->sink`
  const properties: Record<string, string | number | boolean> = {
    clusters: `${alias}, sink`,
    [`${alias}.bootstrap.servers`]: bootstrapServers,
    'sink.bootstrap.servers': bootstrapServers,
    [`${flow}.enabled`]: true,
    [`${flow}.topics`]: source.replaceAll('.', '[.]'),
    [`sink->${alias}.enabled`]: false,
    'tasks.max': tasks,
    'replication.factor': 1,
    'config.storage.replication.factor': 1,
    'offset.storage.replication.factor': 1,
    'status.storage.replication.factor': 1,
    'checkpoints.topic.replication.factor': 1,
    'heartbeats.topic.replication.factor': 1,
    'emit.heartbeats.enabled': false,
    'emit.checkpoints.enabled': false,
    'emit.offset-syncs.enabled': false,
    'sync.topic.configs.enabled': false,
    'sync.topic.acls.enabled': false,
    'sync.group.offsets.enabled': false,
    'refresh.groups.enabled': false,
    'refresh.topics.enabled': false,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}
