import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { PipelineOptions } from '../../bridge-runtime/pipeline/pipeline.ts'
import { trace } from '../../bridge-runtime/pipeline/trace.ts'
import { chosenBridge } from '../chosen-bridge.ts'
import { type Command, optionalText, text, UsageError } from '../command.ts'
import { mountSecrets } from '../local-secrets.ts'
import { ManifestError, readManifests } from '../manifests.ts'
import { privateFolder } from '../private-folder.ts'
import { localPipeline } from '../transforming/local-pipeline.ts'
import { traceLines, traceObject } from '../transforming/print-trace.ts'
import { RecordInputError, recordOfLine } from '../transforming/record-input.ts'
import { reportFindings } from './validate.ts'

async function* linesOf(path: string): AsyncIterable<string> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) if (line !== '') yield line
}

interface Options {
  readonly input: string
  readonly limit: number
  /** Each line is a whole record. */
  readonly whole: boolean
  readonly json: boolean
}

function optionsOf(values: Parameters<Command['run']>[0]): Options {
  const limit = Number(text(values, 'limit', '20'))
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UsageError('--limit takes a number from 1')
  const input = text(values, 'input', '-')
  if (input === '-' && process.stdin.isTTY)
    throw new UsageError('--input names a file with sample records; or pipe them in')
  return { input, limit, whole: values['records'] === true, json: values['json'] === true }
}

/** Prints the way of each sample. @returns how many cannot go on */
async function show(pipeline: PipelineOptions, { input, limit, whole, json }: Options): Promise<number> {
  let [number, poisoned] = [0, 0]
  for await (const line of linesOf(input)) {
    number += 1
    const record = recordOfLine(line, `${input}: line ${number}`, { whole, number })
    const made = await trace(pipeline, record)
    if (made.outputs.some(({ poison }) => poison !== undefined)) poisoned += 1
    console.log(json ? JSON.stringify(traceObject(number, made)) : traceLines(number, record, made).join('\n'))
    if (number === limit) break
  }
  if (number === 0) throw new UsageError(`${input}: no record in it`)
  return poisoned
}

export const transform: Command = {
  help: `Usage: streambridge transform -f FILE [--input FILE] [OPTIONS]

Shows, for each sample record, what every step of a bridge makes of it and why one fails. No broker is connected.

  -f, --file FILE      manifests; Secrets that a step names may stand in it
  --name NAME          which StreamBridge, when there are several
  --input FILE         sample records, one a line: the value of a record (default: standard input)
  --records            each line is a whole record, as the file sink writes it:
                       {"key": "a", "value": "…", "headers": {"h": "x"}, "timestamp": 1767225600000}
  --limit N            stop after so many records (default 20)
  --json               one JSON object a line, for programs

Exit code: 0 every record can go on or is filtered, 1 one cannot, 2 the manifest, the input or the command line is wrong.`,
  options: {
    file: { type: 'string', short: 'f' },
    name: { type: 'string' },
    input: { type: 'string' },
    records: { type: 'boolean' },
    limit: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values) => {
    const path = text(values, 'file')
    const options = optionsOf(values)
    try {
      const manifests = await readManifests(path)
      const chosen = chosenBridge(manifests, path, optionalText(values, 'name'))
      if (reportFindings([chosen], (line) => console.error(line))) return 2
      await using secrets = await privateFolder()
      await mountSecrets(manifests, secrets.path)
      const pipeline = localPipeline(chosen, secrets.path)
      if (pipeline === undefined)
        throw new UsageError(`${path}: the bridge changes nothing: it has no spec.transforms and no spec.encode`)
      return (await show(pipeline, options)) > 0 ? 1 : 0
    } catch (thrown) {
      if (!(thrown instanceof ManifestError || thrown instanceof RecordInputError)) throw thrown
      console.error(thrown.message)
      return 2
    }
  },
}
