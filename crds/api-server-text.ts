/** The words in which the API server refuses a value, for each kind of zod issue. As of Kubernetes 1.36. */
import type { z } from 'zod'

export type Issue = z.core.$ZodIssue

/** The type of a JSON value, as OpenAPI names it. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** A number as Go prints a float64: an exponent of two digits from a million on. */
function goNumber(value: number | bigint): string {
  const number = Number(value)
  if (Math.abs(number) < 1e6) return String(number)
  return number.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

const wrongType = (path: string, expected: string, value: unknown): string =>
  `Invalid value: "${typeName(value)}": ${path} in body must be of type ${expected}: "${typeName(value)}"`

const openApiTypes: Readonly<Record<string, string>> = { int: 'integer', number: 'integer', record: 'object' }

function tooBig(issue: z.core.$ZodIssueTooBig, path: string, value: unknown): string {
  if (typeof value === 'string') return `Too long: may not be more than ${issue.maximum} bytes`
  if (Array.isArray(value)) return `Too many: ${value.length}: must have at most ${issue.maximum} items`
  return `Invalid value: ${String(value)}: ${path} in body should be less than or equal to ${goNumber(issue.maximum)}`
}

function tooSmall(issue: z.core.$ZodIssueTooSmall, path: string, value: unknown): string {
  if (typeof value === 'string')
    return `Invalid value: ${JSON.stringify(value)}: ${path} in body should be at least ${issue.minimum} chars long`
  if (Array.isArray(value))
    return `Invalid value: ${value.length}: ${path} in body should have at least ${issue.minimum} items`
  return `Invalid value: ${String(value)}: ${path} in body should be greater than or equal to ${goNumber(issue.minimum)}`
}

/** The message of a rule. The API server repeats a string or a number that breaks its own rule before it. */
export function refusedByRule(issue: z.core.$ZodIssueCustom, value: unknown): string {
  const ofParent = Array.isArray(issue.params?.['at']) && issue.params['at'].length > 0
  const scalar = !ofParent && (typeof value === 'string' || typeof value === 'number')
  return scalar ? `Invalid value: ${JSON.stringify(value)}: ${issue.message}` : `Invalid value: ${issue.message}`
}

function unsupported(issue: z.core.$ZodIssueInvalidValue, path: string, value: unknown): string {
  if (typeof value !== 'string') return wrongType(path, 'string', value)
  return `Unsupported value: "${value}": supported values: ${issue.values.map((each) => `"${String(each)}"`).join(', ')}`
}

/** What the API server says about the value at `path`. */
export function apiServerText(issue: Issue, path: string, value: unknown): string {
  if (value === undefined) return 'Required value'
  if (issue.code === 'invalid_type') return wrongType(path, openApiTypes[issue.expected] ?? issue.expected, value)
  if (issue.code === 'invalid_value') return unsupported(issue, path, value)
  if (issue.code === 'too_big') return tooBig(issue, path, value)
  if (issue.code === 'too_small') return tooSmall(issue, path, value)
  if (issue.code === 'invalid_union') return wrongType(path, 'integer,string', value)
  return `Invalid value: ${issue.message}`
}
