/** A Python with the vendors' clients of the four brokers (`python/requirements.in`): judges of a bridge that share no line with it. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, MissingTool } from './cache.ts'
import { runCommand } from './run-command.ts'

const lock = join(import.meta.dirname, 'python/requirements.txt')
const install = 'install Python 3.10 or newer with venv (Debian: apt-get install python3-venv)'

/** Its version, and where it is; nothing when it is too old or cannot make virtual environments. */
const probe = `
import sys
if sys.version_info < (3, 10): raise SystemExit('it is %d.%d' % sys.version_info[:2])
import ensurepip, venv
print('%d.%d' % sys.version_info[:2], sys.base_prefix)
`

/**
 * The command of the Python, in a virtual environment in the machine's cache: installed once for each lock and Python, without
 * network after that. Exactly the locked packages, by their checksums, none of them built here.
 * *Errors*: MissingTool with what to install where there is no Python 3.10 with venv.
 */
export async function pythonWithClients(): Promise<string> {
  const told = await runCommand('python3', ['-c', probe], { install }).catch((error: unknown) => {
    if (error instanceof MissingTool) throw error
    throw new MissingTool(`python3 cannot make a virtual environment: ${install}; ${String(error).split('\n').at(-1)}`)
  })
  const identity = createHash('sha256').update(told).update(readFileSync(lock)).digest('hex').slice(0, 12)
  const directory = await cached(`python-clients-${identity}`, build)
  const python = join(directory, 'bin/python')
  if (!existsSync(python)) throw new MissingTool(`${python} is gone: remove ${directory}, it is made again`)
  return python
}

async function build(directory: string): Promise<void> {
  await runCommand('python3', ['-m', 'venv', directory], { install })
  // The folder gets another name when it is done: nothing but bin/python may be called in it.
  const pip = (...args: readonly string[]): Promise<string> =>
    runCommand(join(directory, 'bin/python'), ['-I', '-m', 'pip', '--disable-pip-version-check', '--no-input', ...args])
  // --no-deps: a lock that lacks a package must fail here, in the check, instead of taking the newest.
  await pip('install', '--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes', '--requirement', lock)
  await pip('check')
}
