#!/usr/bin/env node
import { help, parseCommandLine, UsageError } from './command-line.ts'
import { startEmulator } from './emulator.ts'

async function main(): Promise<void> {
  const options = parseCommandLine(process.argv.slice(2))
  if (options === undefined) return console.log(help)
  const emulator = await startEmulator(options)
  const admin = emulator.adminPort === undefined ? '' : `, admin API at http://127.0.0.1:${emulator.adminPort}`
  console.log(`listening at ${options.host}:${emulator.port}${admin}`)
  const stop = (): void => {
    process.off('SIGTERM', stop).off('SIGINT', stop)
    void emulator.close()
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\nSee event-hubs-emulator --help` : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
