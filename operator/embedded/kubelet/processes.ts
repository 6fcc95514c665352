/** Runs pods as child processes of this one, each with an IPC channel that closes when this one ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Container, EnvVar, PodSpec } from '../../kube/pod-spec.ts'
import type { Pod } from '../../kube/resources.ts'
import type { Exit, PodProcess, PodRunner } from './pod-runner.ts'
import { writeVolume } from './volumes.ts'

export interface ProcessesOptions {
  /** Stands for the image: this Node, and the file that knows the pods' arguments. */
  readonly command: readonly string[]
  /** What the processes inherit, beside the environment of the pod. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Existing folder for the pods' files. */
  readonly folder: string
  /** The address pods listen on. Default: 127.0.0.1. */
  readonly host?: string
  /** Given to every pod after its own arguments. */
  readonly extraArguments?: readonly string[]
  /** Each line a pod prints. */
  readonly onLine: (pod: string, line: string) => void
}

const loopback = '127.0.0.1'
/** An address that stands for all of the machine's is reached at the loopback. */
const reachable: Readonly<Record<string, string>> = { '0.0.0.0': loopback, '::': '::1' }
const addressOf = ({ host = loopback }: ProcessesOptions): string => reachable[host] ?? host

/** Lines kept to explain an exit. */
const lastLines = 10

export function runAsProcesses(options: ProcessesOptions): PodRunner {
  const given = new Set<number>()
  const podIP = addressOf(options)
  return {
    async place(spec) {
      const containers = await Promise.all(
        spec.containers.map((container) => placeContainer(container, () => freePort(podIP, given))),
      )
      return { ...spec, containers }
    },
    async prepare(pod) {
      const folder = join(options.folder, pod.metadata.uid ?? pod.metadata.name)
      let writes = 0
      await mkdir(folder, { recursive: true, mode: 0o700 })
      return {
        podIP,
        async write(volumes) {
          writes += 1
          for (const [name, files] of volumes) await writeVolume(join(folder, name), files, `..${writes}`)
        },
        start: async () => startProcess(pod, folder, options),
        remove: () => rm(folder, { recursive: true, force: true }),
      }
    },
  }
}

/** Pods share one address here, so each gets its own port for what its template calls `http`. */
async function placeContainer(container: Container, freePort: () => Promise<number>): Promise<Container> {
  const named = container.ports?.find(({ name }) => name === 'http')
  if (named === undefined) return container
  const containerPort = await freePort()
  const ports = container.ports?.map((port) => (port === named ? { ...port, containerPort } : port)) ?? []
  return { ...container, ports, args: withOption(container.args ?? [], 'port', String(containerPort)) }
}

/** A port that is free now and that no other pod was given. */
async function freePort(host: string, given: Set<number>): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.on('error', reject)
      server.listen(0, host, () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
      })
    })
    if (given.has(port)) continue
    given.add(port)
    return port
  }
}

/** The arguments with the value after `--name` replaced, where it is given. */
function withOption(args: readonly string[], name: string, value: string): readonly string[] {
  const at = args.indexOf(`--${name}`)
  return at < 0 || at + 1 >= args.length ? args : args.with(at + 1, value)
}

/** Paths of the container's mounts become paths of this machine. */
function localPaths(args: readonly string[], container: Container, folder: string): readonly string[] {
  const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => b.mountPath.length - a.mountPath.length)
  return args.map((arg) => {
    const mount = mounts.find(({ mountPath }) => arg === mountPath || arg.startsWith(`${mountPath}/`))
    return mount === undefined ? arg : join(folder, mount.name) + arg.slice(mount.mountPath.length)
  })
}

function valueOf(pod: Pod, podIP: string, { value = '', valueFrom }: EnvVar): string {
  const { name, namespace = '', uid = '' } = pod.metadata
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': name,
    'metadata.namespace': namespace,
    'metadata.uid': uid,
    'status.podIP': podIP,
  }
  return valueFrom?.fieldRef === undefined ? value : (fields[valueFrom.fieldRef.fieldPath] ?? '')
}

function firstContainer({ containers: [container] }: PodSpec): Container {
  if (container === undefined) throw new TypeError('a pod without a container')
  return container
}

async function startProcess(pod: Pod, folder: string, options: ProcessesOptions): Promise<PodProcess> {
  const container = firstContainer(pod.spec)
  for (const { name } of container.volumeMounts ?? []) await mkdir(join(folder, name), { recursive: true })
  const [executable = process.execPath, ...prefix] = options.command
  const env = { ...options.environment }
  for (const variable of container.env ?? []) env[variable.name] = valueOf(pod, addressOf(options), variable)
  const args = [...localPaths(container.args ?? [], container, folder), ...(options.extraArguments ?? [])]
  // A process group of its own: Ctrl-C reaches this process alone, which then stops its pods in order.
  const child = spawn(executable, [...prefix, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  return supervise(child, (line) => options.onLine(pod.metadata.name, line))
}

function supervise(child: ChildProcess, onLine: (line: string) => void): PodProcess {
  const last: string[] = []
  const addLine = (line: string): void => {
    last.push(line.slice(0, 500))
    if (last.length > lastLines) last.shift()
    onLine(line)
  }
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', addLine)
  const killOnExit = (): void => void child.kill('SIGKILL')
  process.on('exit', killOnExit)
  const exited = new Promise<Exit>((resolve) => {
    const end = (exit: Omit<Exit, 'terminationMessage'>): void => {
      process.off('exit', killOnExit)
      resolve({ ...exit, terminationMessage: last.join('\n') })
    }
    child.once('error', (error) => {
      addLine(`could not be started: ${error.message}`)
      end({ exitCode: 128 })
    })
    child.once('close', (code, signal) =>
      end(signal === null ? { exitCode: code ?? 1 } : { exitCode: signal === 'SIGKILL' ? 137 : 143, signal }),
    )
  })
  return {
    exited,
    async stop(graceSeconds) {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), graceSeconds * 1_000)
      await exited
      clearTimeout(timer)
    },
  }
}
