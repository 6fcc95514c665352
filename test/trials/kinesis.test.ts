import { runTrials } from './trials.ts'
import { kinesisWorld } from './worlds/kinesis.ts'

runTrials(kinesisWorld)
