import { mismatch } from '../../texts/mismatch.ts'

const form = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([-+])(\d\d)(\d\d)$/
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Characters of `10/Oct/2000:13:55:36 -0700`. */
export const timeLength = 26

/**
 * A time of an access log in RFC 3339, in its own zone. A leap second is the second that follows it, as clocks count it.
 * @param at where it stands, for the message
 */
export function clfTime(text: string, at: number): string {
  const [, day, name, year, hour, minute, second, sign, zoneHours, zoneMinutes] = form.exec(text) ?? []
  const month = months.indexOf(name ?? '') + 1
  const date = `${year}-${String(month).padStart(2, '0')}-${day}`
  const zone = `${zoneHours}${zoneMinutes}` === '0000' ? 'Z' : `${sign}${zoneHours}:${zoneMinutes}`
  const time = `${date}T${hour}:${minute}:${second}${zone}`
  if (month === 0 || !isDate(date) || Number(zoneHours) > 23 || Number(zoneMinutes) > 59) throw noTime(at)
  if (second === '60') return afterLeapSecond(`${date}T${hour}:${minute}:59${zone}`, zone, at)
  if (Number(hour) > 23 || Number.isNaN(Date.parse(time))) throw noTime(at)
  return time
}

const noTime = (at: number): Error => mismatch('the time', at, 'day/Mon/year:hour:minute:second zone')

/** JavaScript takes 30 February for 1 March. */
const isDate = (date: string): boolean => {
  const time = Date.parse(date)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
}

/** Leap seconds come at the end of a day of UTC. */
function afterLeapSecond(before: string, zone: string, at: number): string {
  const time = Date.parse(before)
  if (Number.isNaN(time) || !new Date(time).toISOString().includes('T23:59:59')) throw noTime(at)
  const [, sign, hours = 0, minutes = 0] = /^([-+])(\d\d):(\d\d)$/.exec(zone) ?? []
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
  return `${new Date(time + 1_000 + offset).toISOString().slice(0, 19)}${zone}`
}
