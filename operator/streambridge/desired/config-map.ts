/** The ConfigMap with the runtime's `bridge.json`. */
import type { BridgeFileInput } from '../../../crds/schema/bridge-file.ts'
import type { StreamBridgeSpec } from '../../../crds/schema/streambridge.ts'
import { onTheWay } from '../../../crds/schema/transforms.ts'
import type { ConfigMap } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { canonicalJson, hashOf } from '../../kube/format/canonical.ts'
import { childMeta, configMapName } from './labels.ts'

export const configFileName = 'bridge.json'

/** What happens to a record on the way; a part that is not set is left out, so that a hash does not change with what a new version can do. */
export const wayOf = (spec: StreamBridgeSpec): Partial<StreamBridgeSpec> =>
  Object.fromEntries(
    Object.keys(onTheWay).flatMap((part) => {
      const value = spec[part as keyof typeof onTheWay]
      return value === undefined ? [] : [[part, value]]
    }),
  )

export const bridgeFileOf = ({ namespace, name, uid, spec, leases }: Bridge): BridgeFileInput => ({
  namespace,
  name,
  uid,
  source: spec.source,
  ...wayOf(spec),
  sink: spec.sink,
  delivery: spec.delivery,
  ...(leases && { leases }),
  ...(spec.lifecycle.reset === undefined ? {} : { reset: spec.lifecycle.reset.token }),
  logLevel: spec.observability.logLevel,
})

/** What the runtime reports back: which spec it runs. Only what the runtime reads is in it. */
export const configHashOf = (bridge: Bridge): string => hashOf(bridgeFileOf(bridge))

/**
 * Immutable, its name ends with its hash: a replica of the previous spec that restarts in the middle of a rollout finds
 * the configuration it was made for, not a new one that may be bad.
 */
export const desiredConfigMap = (bridge: Bridge): ConfigMap & { readonly immutable: true } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: childMeta(bridge, configMapName(bridge.name, configHashOf(bridge))),
  immutable: true,
  data: { [configFileName]: `${canonicalJson(bridgeFileOf(bridge), 2)}\n` },
})
