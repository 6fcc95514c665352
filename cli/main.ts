#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { version } from '../bridge-runtime/version.ts'
import type { Command } from './command.ts'
import { UsageError } from './command.ts'

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  dev: async () => (await import('./commands/dev.ts')).dev,
  run: async () => (await import('./commands/run.ts')).run,
  validate: async () => (await import('./commands/validate.ts')).validate,
  operator: async () => (await import('./commands/operator.ts')).operator,
  bridge: async () => (await import('./commands/bridge.ts')).bridge,
}

const overview = `streambridge ${version}: moves records between Kafka, Kinesis and more, declared as StreamBridge objects

Usage: streambridge COMMAND [OPTIONS]

On one machine, with the same manifests as on a cluster:
  run -f FILE          run one bridge in this terminal, with live progress
  dev -f DIR|FILE      run the operator and its bridges as local processes: no cluster, no Docker
  validate -f DIR|FILE check manifests with the API's own messages

In a cluster (the Helm chart and the operator start these):
  operator             reconcile StreamBridge objects
  bridge               run one replica of a bridge

streambridge COMMAND --help tells more.`

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(overview)
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === 'version') {
    console.log(version)
    return 0
  }
  const load = commands[name]
  if (load === undefined) {
    console.error(`streambridge: no command "${name}"; known: ${Object.keys(commands).join(', ')}`)
    return 2
  }
  const command = await load()
  try {
    const { values } = parseArgs({
      args: rest,
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      strict: true,
    })
    if (values['help'] === true) {
      console.log(command.help)
      return 0
    }
    return await command.run(values)
  } catch (thrown) {
    const usage =
      thrown instanceof UsageError ||
      (thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS'))
    if (!usage) throw thrown
    console.error(`streambridge ${name}: ${thrown.message}\n\n${command.help}`)
    return 2
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((thrown: unknown) => {
  console.error(`streambridge: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  return 1
})
