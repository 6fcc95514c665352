import { parseArgs } from 'node:util'
import type { HubSpec } from './hubs.ts'
import { defaults, type EmulatorOptions } from './options.ts'

export const help = `event-hubs-emulator: Azure Event Hubs over AMQP 1.0, on this machine

Usage: event-hubs-emulator --hub NAME[:PARTITIONS] [OPTIONS]

  --hub NAME[:PARTITIONS]      an event hub, of one partition unless told; repeat for more
  --consumer-group NAME        a consumer group of every hub, beside $Default; repeat for more
  --host ADDRESS               where to listen (default 127.0.0.1)
  --port PORT                  AMQP (default 5672)
  --admin-port PORT            the admin API, at 127.0.0.1 (default: none)
  --data DIR                   keep hubs and events in this folder (default: in memory)
  --fsync                      with --data: have each batch on the disk before it is acknowledged
  --retention-events N         drop a partition's oldest events beyond N
  --retention-bytes N          … beyond N bytes
  --max-message-size BYTES     of a batch (default 1048576)
  --key NAME=KEY               a shared access key; with one, tokens are verified; repeat for more
  --require-token              refuse links for which no token was put
  --ingress-bytes N            a hub takes N bytes a second, then answers server-busy
  --ingress-events N           … N events a second
  --egress-bytes N             a hub gives its readers N bytes a second
  --idle-timeout MS            silence announced as accepted (default 240000)
  --close-idle-connections MS  close connections without a transfer for so long
  --detach-idle-links MS       detach links without a transfer for so long
  --allow-beyond-end           let readers begin beyond the end; the service refuses them
  --verbose                    say what clients do wrong
  --help

Connection string:
  Endpoint=sb://localhost:PORT;SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true;EntityPath=HUB`

/** A person asked for something that does not exist. */
export class UsageError extends Error {}

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const
const flag = { type: 'boolean', default: false } as const

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        hub: texts,
        'consumer-group': texts,
        host: text,
        port: text,
        'admin-port': text,
        data: text,
        fsync: flag,
        'retention-events': text,
        'retention-bytes': text,
        'max-message-size': text,
        key: texts,
        'require-token': flag,
        'ingress-bytes': text,
        'ingress-events': text,
        'egress-bytes': text,
        'idle-timeout': text,
        'close-idle-connections': text,
        'detach-idle-links': text,
        'allow-beyond-end': flag,
        verbose: flag,
        help: flag,
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function amount(values: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = values[name]
  if (value === undefined) return undefined
  if (!/^\d+$/.test(String(value))) throw new UsageError(`--${name} must be a whole number, not "${String(value)}"`)
  return Number(value)
}

function hub(text: string, consumerGroups: readonly string[]): HubSpec {
  const [, name, count] = /^([^:]+)(?::(\d+))?$/.exec(text) ?? []
  if (name === undefined) throw new UsageError(`--hub must be NAME or NAME:PARTITIONS, not "${text}"`)
  return { name, partitions: Number(count ?? 1), consumerGroups: [...consumerGroups] }
}

function key(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError('--key must be NAME=KEY')
  return [text.slice(0, at), text.slice(at + 1)]
}

type Amount = (name: string) => number | undefined

const limits = (amount: Amount): Partial<EmulatorOptions> => ({
  retention: { events: amount('retention-events'), bytes: amount('retention-bytes') },
  maxMessageSize: amount('max-message-size') ?? defaults.maxMessageSize,
  throughput: {
    ingressBytes: amount('ingress-bytes'),
    ingressEvents: amount('ingress-events'),
    egressBytes: amount('egress-bytes'),
  },
  idleTimeout: amount('idle-timeout') ?? defaults.idleTimeout,
  closeIdleConnections: amount('close-idle-connections'),
  detachIdleLinks: amount('detach-idle-links'),
})

/** Undefined when help is wanted. Throws UsageError. */
export function parseCommandLine(argv: readonly string[]): Partial<EmulatorOptions> | undefined {
  const values = parse(argv)
  if (values.help) return undefined
  const { hub: hubs = [], 'consumer-group': groups = [], key: keys = [] } = values
  // Without a hub there must be a way to get one.
  if (hubs.length === 0 && (values.data ?? values['admin-port']) === undefined)
    throw new UsageError('name at least one hub: --hub NAME:PARTITIONS')
  const number: Amount = (name) => amount(values, name)
  return {
    ...limits(number),
    hubs: hubs.map((text) => hub(text, groups)),
    host: values.host ?? defaults.host,
    port: number('port') ?? 5672,
    adminPort: number('admin-port'),
    data: values.data,
    fsync: values.fsync,
    keys: new Map(keys.map(key)),
    requireToken: values['require-token'],
    allowBeyondEnd: values['allow-beyond-end'],
    log: values.verbose ? (line) => console.error(line) : defaults.log,
  }
}
