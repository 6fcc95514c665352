import { mismatch } from '../../texts/mismatch.ts'

const form =
  /^(0[1-9]|[12]\d|3[01])\/([A-Z][a-z]{2})\/(\d{4}):((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60) ([-+](?:[01]\d|2[0-3]))([0-5]\d)$/

/** Number and length of the months, by name. */
const months: ReadonlyMap<string, readonly [number: string, days: number]> = new Map([
  ['Jan', ['01', 31]],
  ['Feb', ['02', 29]],
  ['Mar', ['03', 31]],
  ['Apr', ['04', 30]],
  ['May', ['05', 31]],
  ['Jun', ['06', 30]],
  ['Jul', ['07', 31]],
  ['Aug', ['08', 31]],
  ['Sep', ['09', 30]],
  ['Oct', ['10', 31]],
  ['Nov', ['11', 30]],
  ['Dec', ['12', 31]],
])

/** Characters of `10/Oct/2000:13:55:36 -0700`. */
export const timeLength = 26

/**
 * A time of an access log in RFC 3339, in its own zone. A leap second is the second that follows it, as clocks count it.
 * @param at where it stands, for the message
 */
export function clfTime(text: string, at: number): string {
  const found = form.exec(text)
  const month = months.get(found?.[2] ?? '')
  if (found === null || month === undefined) throw noTime(at)
  const [, day, name, year, time, second, hours, minutes] = found
  if (Number(day) > month[1] || (day === '29' && name === 'Feb' && !isLeapYear(Number(year)))) throw noTime(at)
  const zone = zoneOf(`${hours}:${minutes}`)
  const minute = `${year}-${month[0]}-${day}T${time}`
  return second === '60' ? afterLeapSecond(minute, zone, at) : `${minute}:${second}${zone}`
}

const noTime = (at: number): Error => mismatch('the time', at, 'day/Mon/year:hour:minute:second zone')

const zoneOf = (offset: string): string => (offset.endsWith('00:00') ? 'Z' : offset)

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** Leap seconds come at the end of a day of UTC. */
function afterLeapSecond(minute: string, zone: string, at: number): string {
  const next = Date.parse(`${minute}:59${zone}`) + 1_000
  if (next % 86_400_000 !== 0) throw noTime(at)
  const local = Date.parse(`${minute}:59Z`) + 1_000
  return `${new Date(local).toISOString().slice(0, 19)}${zone}`
}
