/** `spec.template`: what a person may change on the pods. */
import { z } from 'zod'
import { kubernetesObject, oneOf, textOf, withRules } from '../kit/rules.ts'

const quantityForm = /^[0-9]{1,15}([.][0-9]{1,9})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/

/** A Kubernetes quantity. YAML makes a number of `cpu: 1`, so a number is taken too. */
const quantity = withRules(z.union([z.int(), z.string()]), [
  {
    cel: `type(self) == int ? self >= 0 : (type(self) == string && string(self).matches(r'${quantityForm.source}'))`,
    message: 'write a Kubernetes quantity: 500m, 1, 256Mi',
    holds: (value) => (typeof value === 'number' ? value >= 0 : quantityForm.test(value)),
  },
])
  .transform(String)
  .meta({ 'x-kubernetes-int-or-string': true, maxLength: 32 })

const resourceList = z.object({
  cpu: quantity.optional(),
  memory: quantity.optional(),
  'ephemeral-storage': quantity.optional(),
})

const labelValue = textOf({
  pattern: /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
  message:
    'write a label value: at most 63 letters, digits, hyphens, underscores and dots, with a letter or digit at both ends',
  maxLength: 63,
})

const labelMap = (description: string) => z.record(z.string(), labelValue).meta({ description, maxProperties: 50 })

const objectName = (what: string) =>
  textOf({
    pattern: /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    message: `write the name of a ${what} in the namespace of the StreamBridge`,
    maxLength: 253,
  })

/** What the pods have there themselves. */
const reservedPath = /^\/(etc|tmp|app|node|proc|sys|dev|var\/run)(\/.*)?$/

const podVolume = withRules(
  z.object({
    mountPath: withRules(z.string().max(256), [
      {
        cel: "self.matches(r'^(/[A-Za-z0-9._-]+)+$')",
        message: 'write the path of a folder: /geo',
        holds: (path) => /^(\/[A-Za-z0-9._-]+)+$/.test(path),
      },
      {
        cel: "!self.matches(r'^/(etc|tmp|app|node|proc|sys|dev|var/run)(/.*)?$')",
        message: 'the pods have a folder of that name themselves: choose another one, such as /geo',
        holds: (path) => !reservedPath.test(path),
      },
    ]).meta({ description: 'The folder in the pods.' }),
    configMap: z
      .object({ name: objectName('ConfigMap') })
      .meta({ description: 'The keys of a ConfigMap as files.' })
      .optional(),
    persistentVolumeClaim: z
      .object({ claimName: objectName('PersistentVolumeClaim') })
      .meta({ description: 'A volume that several pods may read at a time.' })
      .optional(),
  }),
  [oneOf(['configMap', 'persistentVolumeClaim'])],
)

export const podTemplate = z
  .object({
    labels: labelMap('Labels of the pods, beside the operator’s own.').optional(),
    annotations: z
      .record(z.string(), z.string().max(4096))
      .meta({ description: 'Annotations of the pods.', maxProperties: 50 })
      .optional(),
    resources: z
      .object({ requests: resourceList.optional(), limits: resourceList.optional() })
      .meta({ description: 'Requests and limits of the container. Default: requests 100m and 256Mi, limit 512Mi.' })
      .optional(),
    volumes: z
      .array(podVolume)
      .max(8)
      .meta({ description: 'Files that steps read, such as a database of addresses; mounted read-only.' })
      .optional(),
    nodeSelector: labelMap('Labels a node must have.').optional(),
    tolerations: z.array(kubernetesObject('A toleration, as in a pod.')).max(50).optional(),
    affinity: kubernetesObject('Affinity, as in a pod.').optional(),
    topologySpreadConstraints: z
      .array(kubernetesObject('A topology spread constraint, as in a pod.'))
      .max(20)
      .optional(),
  })
  .meta({ description: 'What may be changed on the pods.' })
