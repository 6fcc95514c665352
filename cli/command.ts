import { isIP } from 'node:net'
import type { ParseArgsConfig } from 'node:util'

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

export interface Command {
  readonly help: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** @returns the exit code */
  run(values: Values): Promise<number>
}

/** The command line makes no sense; printed with the command's help, exit code 2. */
export class UsageError extends Error {}

/** A text option; throws a UsageError when it is required and absent. */
export function text(values: Values, name: string, fallback?: string): string {
  const value = values[name] ?? fallback
  if (typeof value !== 'string') throw new UsageError(`--${name} is required`)
  return value
}

export function optionalText(values: Values, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

export function port(values: Values, name: string, fallback: number): number {
  const value = Number(text(values, name, String(fallback)))
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new UsageError(`--${name} takes a port from 0 to 65535`)
  return value
}

/** The address to listen on; without a fallback undefined where it is absent: all of this machine's. */
export function listenAddress(values: Values, fallback: string): string
export function listenAddress(values: Values): string | undefined
export function listenAddress(values: Values, fallback?: string): string | undefined {
  const address = values['listen'] ?? fallback
  if (address === undefined || (typeof address === 'string' && isIP(address) !== 0)) return address
  throw new UsageError('--listen takes an IP address: 127.0.0.1, or 0.0.0.0 for every network of this machine')
}

/** Where nobody but this machine reaches it. */
export const loopback = '127.0.0.1'

/**
 * Aborts at SIGTERM or SIGINT, and at the death of a parent that keeps a channel open to this process, as `dev` does to
 * its pods. A second signal, or `deadline` milliseconds without an end, stops the process at once.
 */
export function stopSignal(deadline: number): AbortSignal {
  const stop = new AbortController()
  const begin = (): void => {
    if (stop.signal.aborted) return
    stop.abort()
    setTimeout(() => process.exit(1), deadline).unref()
  }
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(1)
    begin()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.once('disconnect', () => {
    // Nobody reads any more what is said; that must not end what is to be finished.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
    begin()
  })
  // The channel is there for its end: it does not keep this process alive.
  process.channel?.unref()
  return stop.signal
}
