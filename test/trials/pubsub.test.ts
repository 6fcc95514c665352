import { runTrials } from './trials.ts'
import { pubsubWorld } from './worlds/pubsub.ts'

const unmarked =
  'a subscription that a person made has nothing to tell it from one made again for the same topic while nobody looks, as the guide says; for one that the bridge made see identity.test.ts'
const whole = 'a topic has no partitions'

runTrials(pubsubWorld, {
  // A subscription has no start position: it holds what was published after it was made.
  starts: ['Earliest'],
  exceptions: {
    'made again while it is stopped': unmarked,
    'made again with fewer records, which then grow beyond the position': unmarked,
    'split or grown, then made again': unmarked,
    'split with nothing more put, then made again': unmarked,
    'grown while it is away': whole,
  },
})
