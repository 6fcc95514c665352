/** Objects for the tests of this folder. */
import type { Deployment, StreamBridge } from '../../../operator/kube/resources.ts'

export const bridgeManifest = (namespace: string, name: string): StreamBridge => ({
  apiVersion: 'streambridge.dev/v1alpha1',
  kind: 'StreamBridge',
  metadata: { name, namespace },
  spec: { source: { generator: {} }, sink: { console: {} } },
})

/** With every field the operator sets on a Deployment, in forms that the API server writes back differently. */
export const deploymentManifest = (namespace: string, name = 'bridge'): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'bridge' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    template: {
      metadata: { labels: { app: 'bridge' }, annotations: { hash: 'x' } },
      spec: {
        serviceAccountName: 'bridge',
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 35,
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'bridge',
            image: 'registry.example/streambridge:1.0',
            args: ['bridge', '--port', '8080'],
            env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
            ports: [{ name: 'http', containerPort: 8080 }],
            resources: { requests: { cpu: '1000m', memory: '1024Mi' }, limits: { cpu: '1.5', memory: '1024Mi' } },
            readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 5 },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            volumeMounts: [{ name: 'config', mountPath: '/config', readOnly: true }],
          },
        ],
        volumes: [
          { name: 'config', configMap: { name: 'bridge' } },
          { name: 'secrets', projected: { sources: [{ secret: { name: 's', items: [{ key: 'k', path: 's/k' }] } }] } },
          { name: 'tmp', emptyDir: { sizeLimit: '1024Ki' } },
        ],
      },
    },
  },
})

/** What a Kubernetes 1.36 API server makes of it. */
export const deploymentSpecAsStored: unknown = {
  replicas: 1,
  revisionHistoryLimit: 10,
  progressDeadlineSeconds: 600,
  selector: { matchLabels: { app: 'bridge' } },
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
  template: {
    metadata: { labels: { app: 'bridge' }, annotations: { hash: 'x' } },
    spec: {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      serviceAccountName: 'bridge',
      serviceAccount: 'bridge',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 35,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'bridge',
          image: 'registry.example/streambridge:1.0',
          imagePullPolicy: 'IfNotPresent',
          args: ['bridge', '--port', '8080'],
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1500m', memory: '1Gi' } },
          readinessProbe: {
            httpGet: { path: '/readyz', port: 'http', scheme: 'HTTP' },
            periodSeconds: 5,
            timeoutSeconds: 1,
            successThreshold: 1,
            failureThreshold: 3,
          },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          volumeMounts: [{ name: 'config', mountPath: '/config', readOnly: true }],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: 'bridge', defaultMode: 420 } },
        {
          name: 'secrets',
          projected: {
            defaultMode: 420,
            sources: [{ secret: { name: 's', items: [{ key: 'k', path: 's/k' }] } }],
          },
        },
        { name: 'tmp', emptyDir: { sizeLimit: '1Mi' } },
      ],
    },
  },
}
