const days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** True where the month, 1 to 12, has this day: JavaScript takes 30 February for 1 March. */
export const hasDay = (year: number, month: number, day: number): boolean =>
  day >= 1 && day <= (month === 2 && isLeapYear(year) ? 29 : (days[month - 1] ?? 0))
