/** Databases of IP addresses in MaxMind's format (MMDB), as files. */
import { readFile, stat } from 'node:fs/promises'
import { isIP, isIPv4 } from 'node:net'
import type { Reader, Response } from 'mmdb-lib'
import type { Clock } from '../../core/clock.ts'
import { BridgeError } from '../../core/errors.ts'
import { asValue } from '../../expressions/result.ts'
import type { Logger } from '../../observability/logger.ts'
import type { Value } from '../../values/value.ts'
import { Lru } from './lru.ts'

/** Milliseconds between two looks at the file. */
const interval = 60_000
/** Addresses that are remembered. */
const mostAddresses = 10_000

interface Loaded {
  readonly reader: Reader<Response>
  readonly known: Lru<string, Response | null>
  /** Changes with the file. */
  readonly version: string
}

interface Asking {
  /** The path of the field in the manifest. */
  readonly field: string
  readonly clock: Clock
  readonly log: Logger
}

const opened = new Map<string, GeoDatabase>()

/** One for each file, however many partitions ask: it is held in memory. */
export function geoDatabase(path: string): GeoDatabase {
  const database = opened.get(path) ?? new GeoDatabase(path)
  opened.set(path, database)
  return database
}

export class GeoDatabase {
  readonly #path: string
  #loaded: Loaded | undefined
  #looked = -Infinity
  #looking: Promise<void> | undefined

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Resolves when the file is read, again where it has changed. Undefined: it was, less than a minute ago. Rejects with a retryable
   * BridgeError; a file that cannot be read again leaves what was read before.
   */
  prepare(asking: Asking): Promise<void> | undefined {
    const now = asking.clock.monotonic()
    if (this.#loaded !== undefined && now - this.#looked < interval && now >= this.#looked) return undefined
    this.#looked = now
    this.#looking ??= this.#look(asking).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** A copy of what is known of the address; undefined: nothing, or it is no address. */
  find(address: string): Value | undefined {
    const loaded = this.#loaded
    if (loaded === undefined) throw new TypeError('not prepared')
    const ip = plain(address)
    // The reader takes `1.2.3` for an address, and looks for one of 128 bits among those of 32.
    if (isIP(ip) === 0 || (loaded.reader.metadata.ipVersion === 4 && !isIPv4(ip))) return undefined
    const found = loaded.known.get(ip, (one) => loaded.reader.get(one))
    return found === null ? undefined : asValue(found)
  }

  async #look({ field, log }: Asking): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path)
      const version = `${mtimeMs}/${size}/${ino}`
      if (this.#loaded?.version === version) return
      const { Reader } = await import('mmdb-lib')
      const reader = new Reader(await readFile(this.#path))
      this.#loaded = { reader, known: new Lru(mostAddresses), version }
    } catch (cause) {
      const { code = 'it is no MMDB' } = cause as { readonly code?: string }
      const message = `${field}: the database ${this.#path} cannot be read: ${code}`
      if (this.#loaded === undefined)
        throw new BridgeError(message, { kind: 'retryable', reason: 'DatabaseMissing', cause })
      log.warn(`${message}; what was read before stays`)
    }
  }
}

const mapped = /^::ffff:(?=\d+\.)/i

/** An address of IPv4 within IPv6, as sockets give it, is one of IPv4. */
const plain = (address: string): string => address.replace(mapped, '')
