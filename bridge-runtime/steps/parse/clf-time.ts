import { hasDay } from '../../texts/calendar.ts'
import { mismatch } from '../../texts/mismatch.ts'

const form =
  /^(0[1-9]|[12]\d|3[01])\/([A-Z][a-z]{2})\/(\d{4}):((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60) ([-+](?:[01]\d|2[0-3]))([0-5]\d)$/

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const numbers: ReadonlyMap<string, string> = new Map(
  months.map((name, index) => [name, String(index + 1).padStart(2, '0')]),
)

/** Characters of `10/Oct/2000:13:55:36 -0700`. */
export const timeLength = 26

const timeOfDay = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/

/**
 * Times of an access log in RFC 3339, each in its own zone. A leap second is the second that follows it, as clocks count it. Most lines
 * share day and zone with the one before: these are read once.
 */
export class ClfTimes {
  /** `10/Oct/2000:` and what it is. */
  #day = '-'
  #date = ''
  /** ` -0700` and what it is. */
  #offset = '-'
  #zone = ''

  /** @param at where it stands, for the message */
  read(text: string, at: number): string {
    const time = text.slice(12, 20)
    if (text.length === timeLength && text.startsWith(this.#day) && text.endsWith(this.#offset) && timeOfDay.test(time))
      return this.#date + time + this.#zone
    const read = clfTime(text, at)
    if (!read.startsWith(time, 11)) return read
    this.#day = text.slice(0, 12)
    this.#offset = text.slice(20)
    this.#date = read.slice(0, 11)
    this.#zone = read.slice(19)
    return read
  }
}

function clfTime(text: string, at: number): string {
  const found = form.exec(text)
  const month = numbers.get(found?.[2] ?? '')
  if (found === null || month === undefined) throw noTime(at)
  const [, day, , year, time, second, hours, minutes] = found
  if (!hasDay(Number(year), Number(month), Number(day))) throw noTime(at)
  const zone = zoneOf(`${hours}:${minutes}`)
  const minute = `${year}-${month}-${day}T${time}`
  return second === '60' ? afterLeapSecond(minute, zone, at) : `${minute}:${second}${zone}`
}

const noTime = (at: number): Error => mismatch('the time', at, 'day/Mon/year:hour:minute:second zone')

const zoneOf = (offset: string): string => (offset.endsWith('00:00') ? 'Z' : offset)

/** Leap seconds come at the end of a day of UTC. */
function afterLeapSecond(minute: string, zone: string, at: number): string {
  const next = Date.parse(`${minute}:59${zone}`) + 1_000
  if (next % 86_400_000 !== 0) throw noTime(at)
  const local = Date.parse(`${minute}:59Z`) + 1_000
  return `${new Date(local).toISOString().slice(0, 19)}${zone}`
}
