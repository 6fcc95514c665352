/** Java servers as jars from Maven Central. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { runCommand } from './run-command.ts'

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** A Java class path with the artifacts (`group:artifact:version`) and all they need at run time, fetched once. */
export async function mavenClasspath(name: string, artifacts: readonly string[]): Promise<string> {
  const directory = await cached(name, async (folder) => {
    const pom = join(folder, 'pom.xml')
    writeFileSync(pom, pomFor(artifacts))
    await runCommand('mvn', ['-q', '-B', '-f', pom, plugin, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`], {
      install: 'install Maven and Java 17 (Debian: apt-get install maven openjdk-17-jre-headless)',
    })
  })
  return join(directory, '*')
}

function pomFor(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, id, version] = artifact.split(':')
    return `<dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${version}</version></dependency>`
  })
  return `<project><modelVersion>4.0.0</modelVersion><groupId>streambridge</groupId><artifactId>test-servers</artifactId>
<version>1</version><packaging>pom</packaging><dependencies>${dependencies.join('\n')}</dependencies></project>\n`
}
