/** Builds the image, brings it to the cluster and installs the chart with it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { runCommand } from '../support/run-command.ts'
import { kubectl, restrictedNamespace } from './kubectl.ts'
import type { Settings } from './settings.ts'

export const root = join(import.meta.dirname, '../..')
export const operatorNamespace = 'streambridge-system'
export const release = 'streambridge'

const helm = (...args: string[]): Promise<string> => runCommand('helm', args, { install: 'put helm on PATH' })

/** Runs a command and shows what it prints. */
async function show([command = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { DOCKER_BUILDKIT: '0', ...process.env },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`)
}

export async function buildImage(settings: Settings): Promise<void> {
  await show([...settings.imageBuilder, '-t', settings.image, '.'])
  await show([...settings.imageLoader, settings.image])
}

/** Installs the chart into an empty namespace that enforces Pod Security `restricted`, and waits for the operator. */
export async function installChart(settings: Settings, ...values: string[]): Promise<void> {
  await uninstallChart()
  await restrictedNamespace(operatorNamespace)
  const [repository, tag] = splitTag(settings.imageInCluster)
  const set = [`image.repository=${repository}`, `image.tag=${tag}`, ...values].flatMap((value) => ['--set', value])
  const chart = join(root, 'charts/streambridge')
  await helm('install', release, chart, '--namespace', operatorNamespace, ...set, '--wait', '--timeout=120s')
}

/** Removes every StreamBridge while an operator is there to end it, then the release and its CustomResourceDefinition. */
export async function uninstallChart(): Promise<void> {
  const installed = await kubectl('get', 'crd', 'streambridges.streambridge.dev', '--ignore-not-found')
  if (installed !== '') await kubectl('delete', 'sbr', '--all', '--all-namespaces', '--timeout=90s')
  await helm('uninstall', release, '--namespace', operatorNamespace, '--ignore-not-found', '--wait', '--timeout=120s')
  await kubectl('delete', 'crd', 'streambridges.streambridge.dev', '--ignore-not-found', '--timeout=60s')
}

function splitTag(image: string): [string, string] {
  const colon = image.lastIndexOf(':')
  return [image.slice(0, colon), image.slice(colon + 1)]
}
