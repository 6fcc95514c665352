/** Faults to order: what is to go wrong, where, and how often. */
import { z } from 'zod'

/** Which faults make sense at which operation. */
const possible = {
  connect: ['refuse', 'closeSocket', 'rstSocket', 'blackhole', 'slow'],
  attach: ['closeSocket', 'rstSocket', 'blackhole', 'slow', 'closeConnection', 'detach', 'withholdCredit'],
  send: [
    'closeSocket',
    'rstSocket',
    'blackhole',
    'closeConnection',
    'detach',
    'delay',
    'reject',
    'appendThenClose',
    'appendThenNoDisposition',
    'sequenceJump',
  ],
  deliver: ['closeSocket', 'rstSocket', 'blackhole', 'closeConnection', 'detach', 'delay', 'duplicate', 'stall'],
  cbs: ['closeSocket', 'rstSocket', 'blackhole', 'closeConnection', 'delay', 'status', 'silence'],
  management: ['closeSocket', 'rstSocket', 'blackhole', 'closeConnection', 'delay', 'status', 'silence'],
} as const

export type Operation = keyof typeof possible
export type Action = (typeof possible)[Operation][number]

const operations = Object.keys(possible) as Operation[]
const actions = [...new Set(Object.values(possible).flat())] as Action[]

export const scope = z.object({
  /** All given ones must be equal, without case. */
  hub: z.string().optional(),
  partition: z.string().optional(),
  consumerGroup: z.string().optional(),
  /** The consumer's or producer's name. */
  name: z.string().optional(),
})

export type Scope = z.output<typeof scope>

export const faultSpec = scope
  .extend({
    on: z.enum(operations),
    do: z.enum(actions),
    /** AMQP error of a detach, rejection or close. */
    condition: z.string().default('amqp:internal-error'),
    description: z.string().default('injected fault'),
    /** Of a response of $cbs and $management. */
    status: z.int().default(500),
    milliseconds: z.int().min(0).default(1_000),
    bytesPerSecond: z.int().min(1).default(1_000),
    /** How far a sequence number jumps. */
    by: z.int().min(1).default(1_000_000),
    /** The first time at the n-th operation in scope. */
    nth: z.int().min(1).default(1),
    /** How many times; 0 is for ever. */
    count: z.int().min(0).default(1),
    probability: z.number().gt(0).max(1).default(1),
  })
  .refine((fault) => (possible[fault.on] as readonly string[]).includes(fault.do), {
    error: ({ input }) => {
      const { on, do: action } = input as { on: Operation; do: Action }
      return `"${action}" is not possible on "${on}"; possible: ${possible[on].join(', ')}`
    },
  })

export type FaultSpec = z.input<typeof faultSpec>
export type Fault = z.output<typeof faultSpec> & { readonly id: number; readonly happened: number }

const sameText = (wanted: string | undefined, actual: string | undefined): boolean =>
  wanted === undefined || wanted.toLowerCase() === actual?.toLowerCase()

/** Whether the actual place is within the scope. */
export const inScope = (wanted: Scope, actual: Scope): boolean =>
  sameText(wanted.hub, actual.hub) &&
  sameText(wanted.partition, actual.partition) &&
  sameText(wanted.consumerGroup, actual.consumerGroup) &&
  sameText(wanted.name, actual.name)

interface Ordered {
  readonly spec: z.output<typeof faultSpec>
  readonly id: number
  seen: number
  happened: number
}

const spent = ({ spec, happened }: Ordered): boolean => spec.count > 0 && happened >= spec.count

export class Faults {
  readonly #random: () => number
  #ordered: Ordered[] = []
  #ids = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** Throws ZodError for what is no fault. */
  add(input: unknown): Fault {
    this.#ids += 1
    const ordered: Ordered = { spec: faultSpec.parse(input), id: this.#ids, seen: 0, happened: 0 }
    this.#ordered.push(ordered)
    return { ...ordered.spec, id: ordered.id, happened: 0 }
  }

  list(): Fault[] {
    return this.#ordered.map(({ spec, id, happened }) => ({ ...spec, id, happened }))
  }

  /** Removes one, or all. */
  clear(id?: number): void {
    this.#ordered = id === undefined ? [] : this.#ordered.filter((fault) => fault.id !== id)
  }

  /** The fault that happens to this operation, if any; it counts as happened. The first ordered comes first. */
  next(on: Operation, actual: Scope): Fault | undefined {
    for (const ordered of this.#ordered) {
      if (ordered.spec.on !== on || spent(ordered) || !inScope(ordered.spec, actual)) continue
      ordered.seen += 1
      if (ordered.seen < ordered.spec.nth || this.#random() >= ordered.spec.probability) continue
      ordered.happened += 1
      return { ...ordered.spec, id: ordered.id, happened: ordered.happened }
    }
    return undefined
  }
}
