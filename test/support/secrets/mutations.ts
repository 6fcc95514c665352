/** Secrets as people break them. */
import fc from 'fast-check'

const intruders = [
  '\n',
  '\r\n',
  '\0',
  ' ',
  '"',
  "'",
  ';',
  ',',
  '=',
  ':',
  '/',
  '{',
  '}',
  '\\',
  'é',
  '\ufeff',
  '%',
  '#',
  '@',
]
const swaps = [
  [/;/g, ','],
  [/;/g, '\n'],
  [/=/g, ':'],
  [/\n/g, '\\n'],
  [/\\n/g, '\n'],
  [/"/g, "'"],
  [/-----/g, '----'],
  [/:\/\//g, ':'],
  [/:/g, ''],
] as const

type Mutation = (text: string) => string

const at = (text: string, share: number): number => Math.floor(text.length * share)
const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  share.map(
    (end): Mutation =>
      (text) =>
        text.slice(0, at(text, end)),
  ),
  share.map(
    (begin): Mutation =>
      (text) =>
        text.slice(at(text, begin)),
  ),
  fc.tuple(share, fc.integer({ min: 1, max: 20 })).map(
    ([from, length]): Mutation =>
      (text) =>
        text.slice(0, at(text, from)) + text.slice(at(text, from) + length),
  ),
  fc.tuple(share, fc.constantFrom(...intruders)).map(
    ([place, one]): Mutation =>
      (text) =>
        text.slice(0, at(text, place)) + one + text.slice(at(text, place)),
  ),
  fc.constantFrom(...swaps).map(
    ([from, to]): Mutation =>
      (text) =>
        text.replaceAll(from, to),
  ),
  fc.constantFrom<Mutation>(
    (text) => text,
    (text) => `${text}\n`,
    (text) => `"${text}"`,
    (text) => Buffer.from(text).toString('base64'),
    (text) => Buffer.from(text, 'utf16le').toString('latin1'),
    (text) => text + text,
    (text) => JSON.stringify({ value: text }),
  ),
)

/** One change or two. */
export const mutated: fc.Arbitrary<Mutation> = fc
  .array(mutation, { minLength: 1, maxLength: 2 })
  .map((steps) => (text) => steps.reduce((value, step) => step(value), text))
