import { inspect } from 'node:util'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** One JSON line per event. Quiet in normal operation: start, stop, changes of state. Values are never secrets. */
export interface Logger {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  with(fields: Fields): Logger
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly fields?: Fields
  /** Takes one line without its newline. */
  readonly write?: (line: string) => void
  readonly now?: () => number
}

export function createLogger(options: LoggerOptions): Logger {
  const { level, fields = {}, now = Date.now } = options
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`))
  const threshold = logLevels.indexOf(level)
  const at =
    (wanted: LogLevel) =>
    (message: string, extra?: Fields): void => {
      if (logLevels.indexOf(wanted) < threshold) return
      write(JSON.stringify({ time: new Date(now()).toISOString(), level: wanted, message, ...fields, ...extra }))
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (more) => createLogger({ ...options, fields: { ...fields, ...more } }),
  }
}

/** Drops everything: for tests. */
export const silentLogger: Logger = createLogger({ level: 'error', write: () => undefined })

/** An error's text for a log field, without its properties, which may hold requests and credentials. */
export const errorText = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : inspect(thrown, { depth: 0 })
