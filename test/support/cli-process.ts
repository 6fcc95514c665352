/** `streambridge` on the command line, in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { eventually } from './eventually.ts'

const main = join(import.meta.dirname, '../../cli/main.ts')

export interface CliProcess {
  /** All it printed so far, on both outputs. */
  printed(): string
  /** Awaits a text that it prints; resolves with the match. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves with how it ended. */
  readonly exited: Promise<number | NodeJS.Signals>
  kill(signal: NodeJS.Signals): void
}

/** Starts it. It is killed when the test ends. `temporary`: its folder for temporary files. */
export function startCli(t: TestContext, args: readonly string[], temporary: string): CliProcess {
  const child = spawn(process.execPath, ['--no-warnings', main, ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: temporary, HOME: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()))
  t.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'close').then(
    ([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals | null) ?? 'SIGKILL',
  )
  return {
    printed: () => text,
    prints: (pattern) =>
      eventually(
        `streambridge ${args[0]} prints ${pattern}`,
        () => {
          const found = pattern.exec(text)
          if (found === null && child.exitCode !== null) throw new Error(`it ended: ${text}`)
          return found
        },
        undefined,
        { within: 60_000 },
      ),
    exited,
    kill: (signal) => void child.kill(signal),
  }
}
