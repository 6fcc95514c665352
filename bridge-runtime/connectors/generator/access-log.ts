/**
 * Web access-log lines in the Combined Log Format. Record n of a partition is a pure function of the seed and n, so that
 * whoever verifies a run can make it again. The query `rid=<key>-<sequence>` numbers the records of each key from 0.
 */

export interface AccessLog {
  readonly seed: number
  /** Clients over all partitions; each belongs to one partition. */
  readonly keys: number
  readonly partitions: number
}

export interface AccessLogRecord {
  /** The client's address. */
  readonly key: string
  readonly value: string
}

const methods = ['GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'POST'] as const
const paths = [
  '/',
  '/index.html',
  '/products',
  '/products/42',
  '/products/1337',
  '/cart',
  '/checkout',
  '/search',
  '/login',
  '/account/orders',
  '/static/app.css',
  '/static/app.js',
  '/images/logo.svg',
  '/api/v1/prices',
  '/robots.txt',
  '/blog/how-we-ship',
] as const
const statuses = [200, 200, 200, 200, 200, 200, 200, 200, 200, 304, 304, 301, 302, 404, 403, 500] as const
const referers = [
  '-',
  '-',
  'https://www.example.com/',
  'https://www.example.com/products',
  'https://search.example.net/?q=shoes',
  'https://news.example.org/today',
] as const
const agents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36',
  'curl/8.14.1',
  'Googlebot/2.1 (+http://www.google.com/bot.html)',
] as const

/** The time of record 0, and the milliseconds from one record of a partition to the next. */
const begin = Date.UTC(2026, 0, 1)
const step = 37

const pick = <T>(from: readonly T[], number: number): T => from[number % from.length] as T

/** A well-mixed 32-bit number of two others (the finalizer of MurmurHash3). */
function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Keys of a partition: every `partitions`-th. */
export const keysOf = ({ keys, partitions }: AccessLog, partition: number): number =>
  Math.max(0, Math.ceil((keys - partition) / partitions))

/** A client's address: another one for each key, as an odd factor permutes the 24-bit numbers. */
function address(seed: number, key: number): string {
  const bits = (Math.imul(key, 0x9e3779b1) + mix(seed, 0)) & 0xffffff
  return `10.${bits >>> 16}.${(bits >>> 8) & 0xff}.${bits & 0xff}`
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value))
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

function logTime(milliseconds: number): string {
  const at = new Date(milliseconds)
  const day = `${two(at.getUTCDate())}/${pick(months, at.getUTCMonth())}/${at.getUTCFullYear()}`
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}

/**
 * Record `n` (from 0) of a partition. All keys of the partition take turns, each round beginning with another one.
 * The partition must have keys (`keysOf`).
 */
export function accessLogRecord(log: AccessLog, partition: number, n: number): AccessLogRecord {
  const { seed, partitions } = log
  const own = keysOf(log, partition)
  const sequence = Math.floor(n / own)
  const key = partition + ((n + mix(seed, sequence)) % own) * partitions
  const random = mix(mix(seed, partition), n)
  const more = mix(random, 1)
  const client = address(seed, key)
  const method = pick(methods, random)
  const path = pick(paths, random >>> 4)
  const status = method === 'POST' ? 200 : pick(statuses, random >>> 12)
  const size = method === 'HEAD' || status === 304 ? '-' : String(180 + (more % 24_000))
  const referer = pick(referers, random >>> 20)
  const agent = pick(agents, more >>> 16)
  const request = `${method} ${path}?rid=${key}-${sequence} HTTP/1.1`
  const value = `${client} - - [${logTime(begin + n * step)}] "${request}" ${status} ${size} "${referer}" "${agent}"`
  return { key: client, value }
}
