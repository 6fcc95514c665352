import { Unfit } from '../values/unfit.ts'

/**
 * A text that has another form than it should: which part of it, at which character, counted from 1, and what is expected there.
 * Nothing of the text itself.
 */
export const mismatch = (part: string, at: number, expected: string): Unfit =>
  new Unfit('ParseMismatch', `${part} does not fit at character ${at + 1}: expected ${expected}`)
