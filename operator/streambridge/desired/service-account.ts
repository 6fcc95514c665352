/** The identity of the pods, unless the spec names one. */
import type { ServiceAccount } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { childMeta, childName } from './labels.ts'

export const serviceAccountNameOf = (bridge: Bridge): string => bridge.spec.serviceAccountName ?? childName(bridge.name)

export const desiredServiceAccount = (bridge: Bridge): ServiceAccount | undefined =>
  bridge.spec.serviceAccountName === undefined
    ? {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: childMeta(bridge),
        // Only pods that set automountServiceAccountToken themselves get a token.
        automountServiceAccountToken: false,
      }
    : undefined
