import { runTrials } from './trials.ts'
import { eventHubsWorld } from './worlds/event-hubs.ts'

runTrials(eventHubsWorld, {
  exceptions: {
    'grown while it is away': 'a hub’s partitions are added by its owner’s tier; see the connector’s own tests',
  },
})
