/** Runs a command to its end. */
import { spawn } from 'node:child_process'
import { MissingTool } from './cache.ts'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Goes to its standard input. */
  readonly stdin?: string
  /** Milliseconds after which it is ended. */
  readonly timeout?: number
  /** Said when the command is not installed. */
  readonly install?: string
}

/** Its standard output. Rejects with the end of what it printed when it fails, or with MissingTool. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { install, stdin, ...spawnOptions } = options
    const child = spawn(command, args, { ...spawnOptions, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => undefined).end(stdin)
    const output: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    child.once('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT'
      reject(missing ? new MissingTool(`${command} is not installed: ${install ?? 'put it on PATH'}`) : error)
    })
    child.once('close', (code, signal) => {
      const text = Buffer.concat(output).toString()
      if (code === 0) return resolve(text)
      const said = `${text}${Buffer.concat(errors).toString()}`.trim().split('\n').slice(-20).join('\n')
      reject(new Error(`${command} ${args.slice(0, 3).join(' ')} ended with ${code ?? signal}:\n${said}`))
    })
  })
}
