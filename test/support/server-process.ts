/** A server run as a child process: its log in a file, stopped when asked, and never outliving this process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MissingTool } from './cache.ts'

export interface ServerCommand {
  /** Short word for messages and the log file. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Where the log goes, as `<name>.log`. */
  readonly directory: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What to say when the command does not exist. */
  readonly install?: string
}

export interface ServerProcess {
  readonly pid: number
  readonly logFile: string
  /** Resolves when the process is gone, with its exit code or the signal that ended it. */
  exited(): Promise<number | NodeJS.Signals>
  running(): boolean
  /** Sends a signal; nothing happens when the process is gone. */
  signal(signal: NodeJS.Signals): void
  /** SIGTERM, then SIGKILL after the grace (milliseconds). Resolves when the process is gone. */
  stop(grace?: number): Promise<void>
}

/**
 * The shell becomes the server, so the child's pid is the server's. Its fork waits at the pipe from this process: a line
 * means that the server ended by itself; the pipe's end means that this process is gone, however, and the server follows.
 */
const guarded = 'exec 3<&0; { read -r ended <&3 || kill -9 $$; } >/dev/null 2>&1 & exec "$@" </dev/null 3<&-'

/** Starts the server. It does not keep this process alive. */
export async function startServer(server: ServerCommand): Promise<ServerProcess> {
  const logFile = join(server.directory, `${server.name}.log`)
  const log = openSync(logFile, 'a')
  const child = spawn('/bin/sh', ['-c', guarded, server.name, server.command, ...server.args], {
    cwd: server.cwd,
    env: server.env ?? process.env,
    stdio: ['pipe', log, log],
    detached: true,
  })
  closeSync(log)
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      child.stdin?.end('ended\n')
      resolve(code ?? signal ?? 'SIGKILL')
    })
  })
  child.stdin?.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  child.unref()
  unrefPipe(child)
  return serverProcess(child, { server, logFile, exited })
}

function unrefPipe(child: ChildProcess): void {
  const stdin = child.stdin as { unref?: () => void } | null
  stdin?.unref?.()
}

interface Started {
  readonly server: ServerCommand
  readonly logFile: string
  readonly exited: Promise<number | NodeJS.Signals>
}

function serverProcess(child: ChildProcess, { server, logFile, exited }: Started): ServerProcess {
  const running = (): boolean => child.exitCode === null && child.signalCode === null
  const signal = (name: NodeJS.Signals): void => void (running() && child.kill(name))
  void exited.then((code) => {
    if (code === 127 && server.install !== undefined) process.stderr.write(`${server.install}\n`)
  })
  return {
    pid: child.pid ?? 0,
    logFile,
    exited() {
      child.ref()
      return exited
    },
    running,
    signal,
    async stop(grace = 10_000) {
      child.ref()
      signal('SIGTERM')
      const timer = setTimeout(() => signal('SIGKILL'), grace)
      await exited
      clearTimeout(timer)
    },
  }
}

/** Waits until `ready` resolves with true. Rejects with the end of the log when the server exits first or time is up. */
export async function awaitReady(
  server: ServerProcess,
  name: string,
  ready: () => Promise<boolean>,
  milliseconds = 90_000,
): Promise<void> {
  const deadline = performance.now() + milliseconds
  for (;;) {
    if (await ready().catch(() => false)) return
    if (!server.running())
      throw new Error(`${name} exited with ${await server.exited()} before it was ready; ${tail(server)}`)
    if (performance.now() > deadline)
      throw new Error(`${name} was not ready in ${milliseconds / 1000} s; ${tail(server)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const tail = ({ logFile }: ServerProcess): string =>
  `see ${logFile}:\n${readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n')}`

const directories = new Set<string>()
process.on('exit', (code) => {
  for (const directory of directories) {
    if (code === 0) rmSync(directory, { recursive: true, force: true })
    else {
      // The logs are wanted, the data is not.
      for (const data of ['data', 'etcd']) rmSync(join(directory, data), { recursive: true, force: true })
      process.stderr.write(`kept for you: ${directory}\n`)
    }
  }
})

/**
 * A new folder under the system's temporary one; removed at exit, kept and named when this process fails. A test does not remove it
 * itself: hooks run in the order they were given, so its bridge would still be writing.
 */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `streambridge-${name}-`))
  directories.add(directory)
  return directory
}

/** Removes it now. */
export function removeDirectory(directory: string): void {
  directories.delete(directory)
  rmSync(directory, { recursive: true, force: true })
}

/**
 * Ports of this machine nobody listens at, different from each other. Nothing reserves them, so they are drawn from below the range the
 * system itself draws from (32768 and up on Linux): no outgoing connection and no listener at port 0 takes one before its server does.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1_000 * count) throw new MissingTool('no TCP port between 20000 and 29999 is free')
    const port = randomInt(20_000, 30_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
