/** Loaded before a process: its clock is off by so many milliseconds, as of a machine without time service. */
const off = Number(process.env['STREAMBRIDGE_TEST_CLOCK_OFF'])
const RealDate = Date

class ShiftedDate extends RealDate {
  constructor(...given: [] | [value: number | string | Date]) {
    if (given.length === 0) super(RealDate.now() + off)
    else super(...given)
  }

  static override now(): number {
    return RealDate.now() + off
  }
}

globalThis.Date = ShiftedDate as DateConstructor
