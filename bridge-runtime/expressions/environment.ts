/**
 * The expression language: CEL (https://cel.dev) with what a record needs. Nothing in it reads a clock, chance or the network, so a
 * record that is read again gives the same.
 */
import { createHash } from 'node:crypto'
import { Environment } from '@marcbachmann/cel-js'
import { parseJson } from '../values/json.ts'
import { ExactNumber } from '../values/value.ts'
import { find } from './find.ts'

/** What an expression may read. `docs/reference/expressions.md` is made from it. */
export const variables = {
  value: { type: 'dyn', description: 'The decoded value.' },
  key: { type: 'dyn', description: 'The key: text, or null. What `decode.key` makes of it where that is set.' },
  headers: { type: 'map<string, dyn>', description: 'Headers by name, the last of a name: text, bytes or null.' },
  timestamp: { type: 'google.protobuf.Timestamp', description: 'When the record was made, as the source says it.' },
  partition: { type: 'string', description: 'The source partition: `orders/3`.' },
  position: { type: 'string', description: 'Offset or sequence number in the partition.' },
  source: { type: 'string', description: 'The source stream: topic, stream, subscription or event hub.' },
  index: { type: 'int', description: 'Which part of an exploded record it is, from 0.' },
} as const

const limits = { maxAstNodes: 200, maxDepth: 32, maxListElements: 200, maxMapEntries: 64, maxCallArguments: 16 }

type Arithmetic = (left: number, right: number) => number

/** JSON knows no integers, CEL does not mix: `value.n + 1` would be an error. */
const mixed: readonly (readonly [string, Arithmetic])[] = [
  ['+', (left, right) => left + right],
  ['-', (left, right) => left - right],
  ['*', (left, right) => left * right],
  ['/', (left, right) => left / right],
  ['%', (left, right) => left % right],
]

function create(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false, limits })
  for (const [name, { type }] of Object.entries(variables)) environment.registerVariable(name, type)
  for (const [operator, compute] of mixed) {
    const apply = (left: unknown, right: unknown): number => compute(Number(left), Number(right))
    environment.registerOperator(`double ${operator} int: double`, apply)
    environment.registerOperator(`int ${operator} double: double`, apply)
  }
  environment.registerOperator('double % double: double', (left: number, right: number) => left % right)
  environment.registerType('decimal', { ctor: ExactNumber, fields: {} })
  environment.registerFunction('double(decimal): double', (exact: ExactNumber) => Number(exact.text))
  environment.registerFunction('string(decimal): string', (exact: ExactNumber) => exact.text)
  environment.registerFunction('json(string): dyn', (text: string) => parseJson(text))
  environment.registerFunction('sha256(string): string', (text: string) => sha256(text))
  environment.registerFunction('sha256(bytes): string', (bytes: Uint8Array) => sha256(bytes))
  environment.registerFunction('string.find(string): dyn', (text: string, pattern: string) => find(text, pattern))
  environment.registerFunction('string.find(string, int): dyn', find)
  return environment
}

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

export const environment = create()
