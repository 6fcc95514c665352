/** The servers on this machine and the bridges between them. */
import { randomBytes } from 'node:crypto'
import { example, pointedAt } from './examples.ts'
import { bridgeNamespace, type Canary, type Flow, type Pair } from './flow.ts'
import { kafkaAndKinesis } from './kafka-kinesis.ts'
import { apply, type Manifest, restrictedNamespace, untilCondition } from './kubectl.ts'
import { type PubsubAndEventHubs, pubsubAndEventHubs } from './pubsub-event-hubs.ts'

export interface Stage {
  readonly pairs: readonly Pair[]
  readonly flows: readonly Flow[]
  readonly pubsubAndEventHubs: PubsubAndEventHubs
  /** Every value that was ever in a Secret, by name. */
  readonly canaries: Readonly<Record<string, string>>
  /** Makes one more of them. */
  readonly canary: Canary
  stop(): Promise<void>
}

/** Small, so that the bound on duplicates is. */
export const maxInFlightBytes = 256 * 1024

/** Starts every server where pods reach it. */
export async function setStage(host: string): Promise<Stage> {
  const canaries: Record<string, string> = {}
  const canary: Canary = (name) =>
    (canaries[name] = `canary-${name.replaceAll(' ', '-')}-${randomBytes(9).toString('hex')}`)
  const [one, other] = await Promise.all([kafkaAndKinesis(host, canary), pubsubAndEventHubs(host, canary)])
  const pairs = [one, other]
  return {
    pairs,
    flows: pairs.flatMap(({ flows }) => flows),
    pubsubAndEventHubs: other,
    canaries,
    canary,
    async stop() {
      await Promise.all(pairs.map((pair) => pair.stop()))
    },
  }
}

/** Its example, pointed at the servers. */
const manifestsOf = async ({ example: file, servers }: Flow): Promise<Manifest[]> =>
  pointedAt(await example(file), servers())

/** The Secrets of its example, with the data of now. */
export const secretsOf = async (flow: Flow): Promise<Manifest[]> =>
  (await manifestsOf(flow)).filter(({ kind }) => kind === 'Secret')

/** Applies every example, one replica each, and waits until all are ready. */
export async function applyBridges({ flows }: Stage): Promise<void> {
  await restrictedNamespace(bridgeNamespace)
  const objects = (await Promise.all(flows.map(manifestsOf))).flat()
  await apply(bridgeNamespace, objects.map(withTestLimits))
  for (const { target } of flows)
    await untilCondition(target.namespace, target.bridge, { type: 'Ready', status: 'True' }, 120)
}

const withTestLimits = (object: Manifest): Manifest =>
  object.kind !== 'StreamBridge'
    ? object
    : {
        ...object,
        spec: {
          ...(object['spec'] as object),
          replicas: 1,
          delivery: { maxInFlightBytes: `${maxInFlightBytes / 1024}Ki` },
          template: { resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '512Mi' } } },
        },
      }
