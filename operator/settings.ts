/** The operator's settings, parsed once from the environment. */
import { z } from 'zod'
import { duration, milliseconds } from '../crds/kit/units.ts'
import { logLevels } from '../bridge-runtime/observability/logger.ts'
import type { Allowed } from './streambridge/allowed.ts'

const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true')

const time = (fallback: string) => duration('').default(fallback).transform(milliseconds)

/** Comma-separated; in a pattern `*` is any text. Empty: anything. */
const patterns = z
  .string()
  .default('')
  .transform((value) => value.split(',').flatMap((pattern) => (pattern.trim() === '' ? [] : [pattern.trim()])))
  .refine((list) => list.every((pattern) => /^[A-Za-z0-9._/:@*-]+$/.test(pattern)), {
    message: 'write patterns of letters, digits and . _ / : @ - in which * is any text, separated by commas',
  })

const environment = z.object({
  /** Comma-separated; empty: all. */
  WATCH_NAMESPACES: z
    .string()
    .default('')
    .transform((value) => value.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))),
  STREAMBRIDGE_IMAGE: z.string().min(1, 'name the image of the runtime'),
  ALLOWED_IMAGES: patterns,
  ALLOWED_SERVICE_ACCOUNTS: patterns,
  POD_NAME: z.string().min(1).default('streambridge-operator'),
  POD_NAMESPACE: z.string().min(1).default('default'),
  LEADER_ELECT: flag(true),
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  /** Everything is read again after this time without a change. */
  RESYNC: time('10m'),
  /** Between two requests for the replicas' reports; by default 5 s where scaling follows the lag and 10 s otherwise. */
  REPORT_INTERVAL: duration('').transform(milliseconds).optional(),
  LOG_LEVEL: z.enum(logLevels).default('info'),
})

export interface Settings {
  readonly namespaces: readonly string[]
  readonly image: string
  readonly allowed: Allowed
  readonly podName: string
  readonly podNamespace: string
  readonly leaderElection: boolean
  readonly metricsPort: number
  /** Milliseconds. */
  readonly resync: number
  readonly reportInterval: number | undefined
  readonly logLevel: (typeof logLevels)[number]
}

/** *Errors*: an Error that names each variable at fault and what to write. */
export function settingsFrom(variables: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = environment.safeParse(variables)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new Error(`the environment of the operator: ${faults.join('; ')}`)
  }
  const { data } = parsed
  return {
    namespaces: data.WATCH_NAMESPACES,
    image: data.STREAMBRIDGE_IMAGE,
    allowed: { images: data.ALLOWED_IMAGES, serviceAccounts: data.ALLOWED_SERVICE_ACCOUNTS },
    podName: data.POD_NAME,
    podNamespace: data.POD_NAMESPACE,
    leaderElection: data.LEADER_ELECT,
    metricsPort: data.METRICS_PORT,
    resync: data.RESYNC,
    reportInterval: data.REPORT_INTERVAL,
    logLevel: data.LOG_LEVEL,
  }
}
