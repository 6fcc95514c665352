import type { Stage } from '../core/contracts.ts'
import { chosenFormat } from '../formats/catalog.ts'
import type { TransformContext } from '../formats/define-format.ts'
import { type Choice, openStep } from '../steps/catalog.ts'
import { codingOf, type Formats } from './encoding.ts'
import { type PipelineOptions, pipeline } from './pipeline.ts'

/** What a bridge does with records on the way. */
export interface OnTheWay {
  readonly decode?: Formats | undefined
  readonly transforms?: readonly Choice[] | undefined
  readonly encode?: Formats | undefined
}

export interface Ends {
  readonly partition: string
  /** The source stream of the partition. */
  readonly stream: string
  /** The target of the sink. */
  readonly target: string
}

/**
 * Opens what all partitions share, the formats with what they have learnt of a registry, and then the steps of each partition for each
 * ownership epoch. Undefined: records pass as they are.
 */
export function wayOpener(
  way: OnTheWay,
  context: Omit<TransformContext, 'field'>,
): (ends: Ends) => PipelineOptions | undefined {
  const { decode = {}, transforms = [], encode = {} } = way
  if (transforms.length === 0 && !converts(decode, encode)) return () => undefined
  const here = { ...context, field: 'spec' }
  const codings = {
    value: codingOf('value', decode, encode, here),
    key: codingOf('key', decode, encode, here),
  }
  const decodeKey = decode.key === undefined ? undefined : codings.key.decoder
  return ({ partition, stream, target }) => {
    const steps = transforms.map((choice, index) => {
      const field = `spec.transforms[${index}]`
      const { name, step } = openStep(choice, { ...context, field })
      return { field: `${field}.${name}`, step }
    })
    return { steps, codings, place: { partition, stream, decodeValue: codings.value.decoder, decodeKey }, target }
  }
}

/** The same as stages of the engine: none, or one. */
export function stagesOpener(...parameters: Parameters<typeof wayOpener>): (ends: Ends) => readonly Stage[] {
  const open = wayOpener(...parameters)
  return (ends) => {
    const options = open(ends)
    return options === undefined ? [] : [pipeline(options)]
  }
}

/** True when bytes may differ though no step changes anything. */
const converts = (decode: Formats, encode: Formats): boolean =>
  [encode.value, encode.key].some((choice) => choice !== undefined) ||
  [decode.value, decode.key].some((choice) => choice !== undefined && !chosenFormat(choice).format.keeps)
