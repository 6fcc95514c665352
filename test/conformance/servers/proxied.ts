import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.ts'
import type { Interruption } from '../harness.ts'

/** Loses an answer, then refuses every connection for a second. */
export async function interrupt(proxy: TcpProxy): Promise<void> {
  proxy.fault({ loseAnswerAfter: 1 })
  await new Promise((resolve) => setTimeout(resolve, 500))
  proxy.fault({ refuse: true })
  proxy.reset()
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  proxy.fault()
}

/**
 * A network that fails between a connector and a server that others use at the same time.
 * @param server host:port
 * @param target the proxy's address as configurations name it
 */
export async function proxied(server: string, target = (address: string): string => address): Promise<Interruption> {
  const proxy = await startTcpProxy(server)
  return { target: target(proxy.address), interrupt: () => interrupt(proxy), stop: () => proxy.stop() }
}
