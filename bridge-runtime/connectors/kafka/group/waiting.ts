/** Waits for both, then fails if one did. */
export async function bothDone(one: Promise<void>, other: Promise<void>): Promise<void> {
  for (const settled of await Promise.allSettled([one, other])) if (settled.status === 'rejected') throw settled.reason
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
