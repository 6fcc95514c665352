#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { version } from '../bridge-runtime/version.ts'
import { type Command, UsageError } from './command.ts'

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  dev: async () => (await import('./commands/dev.ts')).dev,
  run: async () => (await import('./commands/run.ts')).run,
  transform: async () => (await import('./commands/transform.ts')).transform,
  test: async () => (await import('./commands/test.ts')).test,
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
  transform -f FILE    show what each step makes of sample records
  test -f DIR|FILE     run the test files (*.test.yaml) beside manifests

In a cluster (the Helm chart and the operator start these):
  operator             reconcile StreamBridge objects
  bridge               run one replica of a bridge

streambridge COMMAND --help tells more.`

async function main(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv
  if (['', 'help', '--help', '-h'].includes(name)) {
    console.log(overview)
    return name === '' ? 2 : 0
  }
  if (['version', '--version'].includes(name)) {
    console.log(version)
    return 0
  }
  const load = commands[name]
  if (load === undefined) {
    console.error(`streambridge: no command "${name}"; known: ${Object.keys(commands).join(', ')}`)
    return 2
  }
  return await execute(name, await load(), rest)
}

async function execute(name: string, command: Command, args: string[]): Promise<number> {
  try {
    const options = { ...command.options, help: { type: 'boolean', short: 'h' } } as const
    const { values } = parseArgs({ args, options, strict: true })
    if (values['help'] !== true) return await command.run(values)
    console.log(command.help)
    return 0
  } catch (thrown) {
    if (!isUsageError(thrown)) throw thrown
    console.error(`streambridge ${name}: ${thrown.message}\n\n${command.help}`)
    return 2
  }
}

const isUsageError = (thrown: unknown): thrown is Error =>
  thrown instanceof UsageError ||
  (thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS'))

process.exitCode = await main(process.argv.slice(2)).catch((thrown: unknown) => {
  console.error(`streambridge: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  return 1
})
