import type { Client } from './client.ts'
import { condition } from './conditions.ts'
import type { EmulatorOptions } from './options.ts'

/** Closes connections and detaches links that moved nothing for too long, as the service does. Returns how to stop it. */
export function watchIdle(options: EmulatorOptions, clients: ReadonlySet<Client>): () => void {
  const { closeIdleConnections = Infinity, detachIdleLinks = Infinity, now } = options
  const shortest = Math.min(closeIdleConnections, detachIdleLinks)
  if (shortest === Infinity) return () => undefined
  const look = (): void => {
    for (const client of clients) {
      for (const link of client.links)
        if (now() - link.lastActive > detachIdleLinks)
          link.detach(condition.detachForced, `The link was idle for more than ${detachIdleLinks} milliseconds.`)
      if (now() - client.lastActive > closeIdleConnections)
        client.close(
          condition.connectionForced,
          `The connection was inactive for more than the allowed ${closeIdleConnections} milliseconds and is closed by container.`,
        )
    }
  }
  const timer = setInterval(look, Math.max(10, shortest / 4))
  timer.unref()
  return () => clearInterval(timer)
}
