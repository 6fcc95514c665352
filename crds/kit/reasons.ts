/**
 * Every reason the runtime gives for an error, by area, with what it means and what to do: the type of `BridgeError.reason`
 * and the reference are made from these lists, so a reason that is not listed does not compile. They are read in the
 * conditions SourceConnected, SinkConnected and CheckpointHealthy, in `lastError`, in `deadLetter.lastReason`, in the
 * logs, and as the label of a metric.
 */
import { eventHubs } from './reasons/event-hubs.ts'
import { file } from './reasons/file.ts'
import { kafka } from './reasons/kafka.ts'
import { kinesis } from './reasons/kinesis.ts'
import { pubsub } from './reasons/pubsub.ts'
import { engine, leases } from './reasons/shared.ts'
import { transforms } from './reasons/transforms.ts'

export const runtimeReasons = { engine, transforms, leases, kafka, kinesis, pubsub, eventHubs, file } as const

type KeysOf<Union> = Union extends Union ? keyof Union : never

export type RuntimeReason = KeysOf<(typeof runtimeReasons)[keyof typeof runtimeReasons]>
