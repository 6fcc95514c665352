import { sinkOf, sourceOf } from '../../bridge-runtime/connectors/catalog.ts'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { createLogger } from '../../bridge-runtime/observability/logger.ts'
import { wayOpener } from '../../bridge-runtime/pipeline/compile.ts'
import type { PipelineOptions } from '../../bridge-runtime/pipeline/pipeline.ts'
import { mountedSecrets } from '../../bridge-runtime/secrets.ts'
import { streamBridge } from '../../crds/schema/streambridge.ts'
import type { Manifest } from '../manifests.ts'

/** What a bridge does with records on the way, on this machine; undefined where it does nothing. Connects to no broker. */
export function localPipeline({ object }: Manifest, secrets: string): PipelineOptions | undefined {
  const { spec } = streamBridge.parse(object)
  const [source, sink] = [sourceOf(spec.source), sinkOf(spec.sink)]
  const stream = source.definition.describe(source.config).name
  const context = { clock: realClock, log: createLogger({ level: 'error' }), secret: mountedSecrets(secrets) }
  const target = sink.definition.describe(sink.config).name
  return wayOpener(spec, context)({ partition: `${stream}/0`, stream, target })
}
