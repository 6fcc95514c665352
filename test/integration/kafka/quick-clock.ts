import { type Clock, realClock } from '../../../bridge-runtime/core/clock.ts'

/** Time for waits runs twenty times as fast, so that what happens every minute happens in a test. */
const speed = 20

export const quickClock: Clock = {
  now: () => realClock.now(),
  monotonic: () => realClock.monotonic() * speed,
  sleep: (milliseconds, signal) => realClock.sleep(milliseconds / speed, signal),
}
