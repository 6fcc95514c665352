/** Where a sink writes that has a target for each stream of its source: `topicFrom`. */
import { z } from 'zod'

/** @param name the form of a target's name */
export const targetNames = (name: z.ZodType<string>) =>
  z
    .object({
      sameName: z
        .object({
          prefix: name.optional(),
          suffix: name.optional(),
          rename: z
            .record(z.string(), name)
            .meta({
              description: 'Targets by source, for those that have another name; they get no prefix and suffix.',
              maxProperties: 100,
            })
            .optional(),
        })
        .meta({ description: 'The name of the source topic, stream or event hub, with what is set around it.' }),
    })
    .meta({ description: 'A target for each stream of the source. Each must exist.' })

export type TargetNames = z.output<ReturnType<typeof targetNames>>

/** The target of one source stream. Throws a TypeError without a mapping: the schema refuses that before. */
export function targetOf(names: TargetNames | undefined, stream: string): string {
  if (names === undefined) throw new TypeError('the sink names no target')
  const { prefix = '', suffix = '', rename = {} } = names.sameName
  return Object.hasOwn(rename, stream) ? (rename[stream] as string) : `${prefix}${stream}${suffix}`
}

/** All targets, for a person. */
export const describeTargets = ({ sameName: { prefix = '', suffix = '' } }: TargetNames): string =>
  `${prefix}*${suffix}`
