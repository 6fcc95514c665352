/**
 * Tells messages that the service delivers again by itself from those that it replays because somebody moved the
 * subscription back (seek). The first are in the sink and are acknowledged; the second are wanted again.
 *
 * The service repeats what was settled for three reasons, each of which shows:
 * - the acknowledgement and the repetition crossed: the message comes within moments of it;
 * - the acknowledgement came too late, or was lost: the message comes when its lease is over;
 * - an earlier message of its ordering key comes again for one of these reasons, or because its own lease was lost, and with
 *   it all that follows.
 * What comes again otherwise was replayed, and from then on so is what comes again at all. On doubt it is a repetition: that
 * order and number stay what they were is what happens every day, a seek is rare and shows within a message or two.
 */

/** What is known of a message whose acknowledgement was answered. */
export interface Answered {
  /** Monotonic milliseconds of the answer. */
  readonly at: number
  /** Monotonic milliseconds until which the service surely waited for it. */
  readonly leasedUntil: number
  /**
   * `assured`: with exactly-once delivery, the service never delivers it again by itself; `taken`: it does not promise that;
   * `refused`: it will deliver it again.
   */
  readonly how: 'assured' | 'taken' | 'refused'
}

/** Milliseconds within which a repetition that was sent before the acknowledgement came arrives. */
const crossing = 2_000
/** Milliseconds by which the service may take a lease for over before we do. */
const early = 2_500
/** Milliseconds within which the service has delivered again what it wants to deliver again. */
const late = 10_000
/** Milliseconds; what was settled is remembered for one to two of these spans, or less when there is too much of it. */
const span = 60_000
const most = 100_000

interface Generation {
  readonly settled: Map<string, Answered>
  /** Keys of which a message came again, with the monotonic milliseconds until which the others may follow. */
  readonly doubtful: Map<string, number>
}

const generation = (): Generation => ({ settled: new Map(), doubtful: new Map() })

export class Repeats {
  readonly #lease: number
  #young = generation()
  #old = generation()
  #turned: number
  #last: Answered | undefined

  /** @param lease milliseconds of one lease */
  constructor(lease: number, now: number) {
    this.#lease = lease
    this.#turned = now
  }

  settled(identity: string, answered: Answered): void {
    this.#turn(answered.at)
    const last = this.#last
    const { at, leasedUntil, how } = answered
    // Most of a request say the same.
    const same = last !== undefined && last.at === at && last.leasedUntil === leasedUntil && last.how === how
    if (!same) this.#last = answered
    this.#young.settled.set(identity, same ? last : answered)
  }

  /** A message of the key came again, or will: its lease was lost. All that follows of the key comes again. */
  broken(key: string, now: number): void {
    if (key === '') return
    this.#turn(now)
    this.#young.doubtful.set(key, now + this.#lease + late)
  }

  /** What a message is that is not held. A replay makes forget what was settled. */
  judge(identity: string, key: string, now: number): 'new' | 'repetition' | 'replay' {
    this.#turn(now)
    const answered = this.#young.settled.get(identity) ?? this.#old.settled.get(identity)
    if (answered === undefined) return 'new'
    const following = Math.max(this.#young.doubtful.get(key) ?? 0, this.#old.doubtful.get(key) ?? 0) > now
    if (following) return 'repetition'
    if (explained(answered, now)) {
      this.broken(key, now)
      return 'repetition'
    }
    this.#young = generation()
    this.#old = generation()
    return 'replay'
  }

  #turn(now: number): void {
    const passed = now - this.#turned
    const { settled, doubtful } = this.#young
    if (passed < span && settled.size < most && doubtful.size < most) return
    this.#old = passed < 2 * span ? this.#young : generation()
    this.#young = generation()
    this.#turned = now
  }
}

function explained({ at, leasedUntil, how }: Answered, now: number): boolean {
  if (how === 'assured') return false
  if (how === 'refused' || now - at < crossing) return true
  return now > leasedUntil - early && now < Math.max(at, leasedUntil) + late
}
