import { runTrials } from './trials.ts'
import { kafkaWorld } from './worlds/kafka.ts'

runTrials(kafkaWorld)
