import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { chosenBridge } from '../chosen-bridge.ts'
import { type Command, text } from '../command.ts'
import { mountSecrets } from '../local-secrets.ts'
import { isTestFile, ManifestError, readManifests } from '../manifests.ts'
import { privateFolder } from '../private-folder.ts'
import { judge } from '../transforming/judge.ts'
import { localPipeline } from '../transforming/local-pipeline.ts'
import { RecordInputError } from '../transforming/record-input.ts'
import { readTestFile } from '../transforming/test-file.ts'
import { reportFindings } from './validate.ts'

async function testFilesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new ManifestError(`${path}: no such file or directory`)
  if (!found.isDirectory()) return [path]
  const names = (await readdir(path, { recursive: true })).filter(isTestFile).toSorted()
  if (names.length === 0) throw new ManifestError(`${path}: no file named *.test.yaml in it`)
  return names.map((name) => join(path, name))
}

interface Counts {
  passed: number
  failed: number
}

async function runFile(path: string, counts: Counts): Promise<void> {
  const { manifest, bridge, tests } = await readTestFile(path)
  const manifests = await readManifests(manifest)
  const chosen = chosenBridge(manifests, manifest, bridge)
  if (reportFindings([chosen], (line) => console.error(line)))
    throw new ManifestError(`${path}: ${manifest} is refused`)
  await using secrets = await privateFolder()
  await mountSecrets(manifests, secrets.path)
  const pipeline = localPipeline(chosen, secrets.path)
  if (pipeline === undefined)
    throw new ManifestError(`${manifest}: the bridge changes nothing: there is nothing to test`)
  for (const example of tests) {
    const faults = await judge(pipeline, example)
    counts[faults.length === 0 ? 'passed' : 'failed'] += 1
    console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${path}: ${example.name}`)
    for (const fault of faults) console.log(`       ${fault}`)
  }
}

export const test: Command = {
  help: `Usage: streambridge test -f DIR|FILE

Runs test files: records that go in, and what must become of them. orders.test.yaml tests the bridge in orders.yaml beside it:

  tests:
    - name: errors are kept, with a total
      input:
        - {key: a, value: {status: 500, price: 2, count: 3}}
        - {key: b, value: {status: 200}}
        - {key: c, value: {}}
      output:                       # in order; only the fields that stand here are compared
        - {key: a, value: {status: 500, price: 2, count: 3, total: 6}}
      filtered: 1
      poison:
        - {reason: ExpressionFailed, step: filter}

A text is compared as it is, everything else as JSON. manifest: and bridge: name another file and one of several bridges.
A record has key, value, headers, timestamp; keyBase64 and valueBase64 hold bytes. No broker is connected.

Exit code: 0 all hold, 1 one does not, 2 a file cannot be read.`,
  options: { file: { type: 'string', short: 'f' } },
  run: async (values) => {
    const counts: Counts = { passed: 0, failed: 0 }
    try {
      for (const path of await testFilesOf(text(values, 'file'))) await runFile(path, counts)
    } catch (thrown) {
      if (!(thrown instanceof ManifestError || thrown instanceof RecordInputError)) throw thrown
      console.error(thrown.message)
      return 2
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed`)
    return counts.failed > 0 ? 1 : 0
  },
}
