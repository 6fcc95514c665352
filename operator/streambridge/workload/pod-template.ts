/** The pod of one replica. It passes Pod Security `restricted`, and no Secret is in its environment. */
import type { Container, Probe, Volume } from '../../kube/pod-spec.ts'
import type { PodTemplate } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { keysBySecret, secretRefs } from '../desired/secret-refs.ts'
import { plain } from '../../kube/format/canonical.ts'
import { configFileName, configHashOf } from '../desired/config-map.ts'
import { configMapName, labelsOf, secretsAnnotation } from '../desired/labels.ts'
import { serviceAccountNameOf } from '../desired/service-account.ts'

/** The image's `nonroot`. Also the group of mounted files, so that only this user reads them. */
const user = 65_532
const port = 8080
const configPath = '/etc/streambridge/config'
const secretsPath = '/etc/streambridge/secrets'

export interface PodTemplateInput {
  readonly bridge: Bridge
  readonly image: string
  readonly secretsHash: string
  readonly graceSeconds: number
}

const defaultResources = { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } }

const probe = (path: string, timing: Omit<Probe, 'httpGet'>): Probe => ({ httpGet: { path, port: 'http' }, ...timing })

const secretsVolume = (bridge: Bridge): readonly Volume[] => {
  const keys = keysBySecret(secretRefs(bridge.spec))
  if (keys.size === 0) return []
  const sources = [...keys].map(([name, wanted]) => ({
    secret: { name, items: wanted.map((key) => ({ key, path: `${name}/${key}` })) },
  }))
  return [{ name: 'secrets', projected: { sources, defaultMode: 0o440 } }]
}

const volumes = (bridge: Bridge): readonly Volume[] => [
  {
    name: 'config',
    configMap: {
      name: configMapName(bridge.name, configHashOf(bridge)),
      items: [{ key: configFileName, path: configFileName }],
    },
  },
  ...secretsVolume(bridge),
  { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
  ...ownVolumes(bridge).map(({ volume }) => volume),
]

interface OwnVolume {
  readonly volume: Volume
  readonly mountPath: string
}

/** What the spec asks for. Nobody writes into it: a bridge keeps nothing in its pods. */
const ownVolumes = ({ spec }: Bridge): readonly OwnVolume[] =>
  (spec.template.volumes ?? []).map(({ mountPath, configMap, persistentVolumeClaim }, index) => ({
    mountPath,
    volume: {
      name: `files-${index}`,
      ...(configMap && { configMap: { name: configMap.name } }),
      ...(persistentVolumeClaim && {
        persistentVolumeClaim: { claimName: persistentVolumeClaim.claimName, readOnly: true },
      }),
    },
  }))

const mountPaths: Readonly<Record<string, string>> = { config: configPath, secrets: secretsPath, tmp: '/tmp' }

const argsOf = (bridge: Bridge): readonly string[] => {
  const options = {
    config: `${configPath}/${configFileName}`,
    secrets: secretsPath,
    port: String(port),
    'config-hash': configHashOf(bridge),
  }
  return ['bridge', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]
}

const container = ({ bridge, image }: PodTemplateInput): Container => ({
  name: 'bridge',
  image,
  args: argsOf(bridge),
  env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
  ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
  resources: plain(bridge.spec.template.resources ?? defaultResources),
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
  },
  startupProbe: probe('/startup', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 60 }),
  readinessProbe: probe('/readyz', { periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 2 }),
  livenessProbe: probe('/livez', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
  volumeMounts: [
    ...Object.entries(mountPaths)
      .filter(([name]) => volumes(bridge).some((volume) => volume.name === name))
      .map(([name, mountPath]) => ({ name, mountPath, ...(name !== 'tmp' && { readOnly: true }) })),
    ...ownVolumes(bridge).map(({ volume: { name }, mountPath }) => ({ name, mountPath, readOnly: true })),
  ],
  terminationMessagePolicy: 'FallbackToLogsOnError',
})

export function desiredPodTemplate(input: PodTemplateInput): PodTemplate {
  const { bridge, graceSeconds, secretsHash } = input
  const { labels, annotations, nodeSelector, tolerations, affinity, topologySpreadConstraints } = bridge.spec.template
  return {
    metadata: {
      labels: { ...labels, ...labelsOf(bridge) },
      annotations: { ...annotations, [secretsAnnotation]: secretsHash },
    },
    spec: {
      serviceAccountName: serviceAccountNameOf(bridge),
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        fsGroup: user,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [container(input)],
      volumes: volumes(bridge),
      ...(nodeSelector && { nodeSelector }),
      ...(tolerations && { tolerations }),
      ...(affinity && { affinity }),
      ...(topologySpreadConstraints && { topologySpreadConstraints }),
    },
  }
}
