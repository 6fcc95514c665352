import type { BridgeError } from '../errors.ts'
import { heldBack } from './held-back.ts'
import type { Writer } from './writer.ts'

/**
 * Keeps away from a sink what could not be read, or what a stage could not make. It fails in its place: what is before
 * it is written first, what is behind it is held back until it is set aside.
 */
export const readableOnly = (inner: Writer): Writer => ({
  async write(batch, signal) {
    const records = batch.records()
    const first = records.findIndex(({ poison }) => poison !== undefined)
    if (first === -1) return inner.write(batch, signal)
    const failures = new Map<number, BridgeError>()
    let next = first
    if (first > 0) {
      const before = await inner.write(batch.only(Array.from({ length: first }, (_, index) => index)), signal)
      for (const [index, error] of before) failures.set(index, error)
    } else {
      for (let poison = records[0]?.poison; poison !== undefined; poison = records[next]?.poison)
        failures.set(next++, poison)
    }
    for (let index = next; index < records.length; index += 1) failures.set(index, heldBack)
    return failures
  },
})
