import type { Stage } from '../core/contracts.ts'
import { chosenFormat } from '../formats/catalog.ts'
import type { TransformContext } from '../formats/define-format.ts'
import { type Choice, openStep } from '../steps/catalog.ts'
import { codingOf, type Formats } from './encoding.ts'
import { pipeline } from './pipeline.ts'

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

/** The stages of one partition for one ownership epoch: none where records pass as they are. */
export function stagesOf(way: OnTheWay, context: Omit<TransformContext, 'field'>, ends: Ends): readonly Stage[] {
  const { decode = {}, transforms = [], encode = {} } = way
  if (transforms.length === 0 && !converts(decode, encode)) return []
  const here = { ...context, field: 'spec' }
  const codings = {
    value: codingOf('value', decode, encode, here),
    key: codingOf('key', decode, encode, here),
  }
  const steps = transforms.map((choice, index) => {
    const field = `spec.transforms[${index}]`
    const { name, step } = openStep(choice, { ...context, field })
    return { name, field: `${field}.${name}`, step }
  })
  const { partition, stream, target } = ends
  const place = {
    partition,
    stream,
    decodeValue: codings.value.decoder,
    decodeKey: decode.key === undefined ? undefined : codings.key.decoder,
  }
  return [pipeline({ steps, codings, place, target })]
}

/** True when bytes may differ though no step changes anything. */
const converts = (decode: Formats, encode: Formats): boolean =>
  [encode.value, encode.key].some((choice) => choice !== undefined) ||
  [decode.value, decode.key].some((choice) => choice !== undefined && !chosenFormat(choice).format.keeps)
