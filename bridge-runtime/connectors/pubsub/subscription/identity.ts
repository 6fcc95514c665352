/**
 * Whether a subscription is the one that the bridge has read so far. The service keeps the position in it, so a subscription that
 * was deleted, made again or moved to another topic has lost it, and says nothing of that. Pure.
 */
import { gapAdvice, setReset } from '../../../history/advice.ts'
import type { FoundStream, HistoryContent } from '../../../history/content.ts'
import type { SubscriptionSettings } from '../connection.ts'

/** What a look at it gives. `hidden`: the credentials may read it but not look at it. */
export type Look = SubscriptionSettings | 'hidden' | 'missing'

/**
 * - `first`: the bridge has read nothing yet.
 * - `same`: it goes on where it was.
 * - `gap`: it is not the one of before, or it is gone: nothing is read until a person decides.
 * - `orphan`: its topic was deleted: what it still holds is read, and nothing comes any more.
 * - `misplaced`: it belongs to another topic than the manifest says: nothing that a decision could mend.
 */
export type Judgement =
  | { readonly kind: 'first' | 'same' }
  | { readonly kind: 'gap' | 'orphan' | 'misplaced'; readonly message: string }

/** On subscriptions that bridges make: one made again under its name has another value, or none. */
export const birthLabel = 'streambridge-birth'

/** As the service names the topic of a subscription whose topic was deleted; a topic made again under its name is another one. */
const deletedTopic = '_deleted-topic_'

export const streamOf = (name: string, look: Look): FoundStream => ({ name, birth: birthOf(look) })

function birthOf(look: Look): string | undefined {
  if (typeof look === 'string') return undefined
  const label = look.labels?.[birthLabel]
  return label === undefined ? (look.topic ?? undefined) : `${look.topic ?? ''} ${label}`
}

const decide = `records may be lost: ${gapAdvice({ from: 'with what the subscription holds', anew: '' })}`

export interface JudgementOptions {
  /** `projects/P/subscriptions/S` */
  readonly name: string
  /** `projects/P/topics/T`, where the manifest names one. */
  readonly topic: string | undefined
  readonly history: HistoryContent | undefined
}

export function judge(look: Look, options: JudgementOptions): Judgement {
  const { name, topic } = options
  const settings = typeof look === 'string' ? undefined : look
  if (topic !== undefined && settings !== undefined && settings.topic !== topic && settings.topic !== deletedTopic)
    return {
      kind: 'misplaced',
      message:
        `subscription ${name} belongs to topic ${settings.topic}, spec.source.pubsub.topic says ${topic}: a subscription cannot move. ` +
        `Write the former topic again; or, when all of it is read, delete the subscription and ${setReset}`,
    }
  const judgement = remembered(look, options)
  const orphaned = orphanedBecause(look, name)
  return judgement.kind === 'gap' || orphaned === undefined ? judgement : { kind: 'orphan', message: orphaned }
}

/** Undefined where the subscription has its topic, as far as it may be looked at. */
export function orphanedBecause(look: Look, name: string): string | undefined {
  if (typeof look === 'string' || look.topic !== deletedTopic) return undefined
  return (
    `the topic of subscription ${name} was deleted: what the subscription still holds is read, and nothing comes any more, also when the topic was made again. ` +
    `Delete the subscription, make a new one, and ${setReset}`
  )
}

function remembered(look: Look, { name, history }: JudgementOptions): Judgement {
  if (history?.start === undefined) return { kind: 'first' }
  const told = history.gaps[name]
  if (told !== undefined) return { kind: 'gap', message: told }
  const known = history.streams[name]
  if (known === undefined) {
    const before = Object.keys(history.streams).join(', ')
    return {
      kind: 'gap',
      message: `this bridge has read subscription ${before} until now, not ${name}: what either holds that the other does not would be missing; ${decide}`,
    }
  }
  if (look === 'missing')
    return {
      kind: 'gap',
      message: `subscription ${name}, which this bridge has read until now, was deleted with what it held, and what was published since is in no subscription; ${decide}`,
    }
  const birth = birthOf(look)
  if (birth === undefined || known.birth === undefined || known.birth === birth) return { kind: 'same' }
  if (birth.startsWith(deletedTopic)) return { kind: 'same' }
  return {
    kind: 'gap',
    message: `subscription ${name} was deleted and made again: it was of ${known.birth}, now it is of ${birth}; what the old one held, and what was published in between, is gone; ${decide}`,
  }
}
