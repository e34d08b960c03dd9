/** What a sidecar is made from. */
export interface SidecarOptions {
  readonly image: string
  /** ConfigMap with `ssec-proxy.yaml`. */
  readonly configMap: string
  /** Secrets whose keys are files beside the configuration. */
  readonly secrets: readonly string[]
  /** Secret with `access-key-id` and `secret-access-key`, which the program signs with; `none`: it has its own. */
  readonly credentialsSecret: string
  /** Port of the http listener on 127.0.0.1. */
  readonly port: number
  readonly adminPort: number
  /** What the program signs for, where it says nothing itself; `none`: nothing is said. */
  readonly region: string
  readonly requests: { readonly cpu: string; readonly memory: string }
  readonly memoryLimit: string
}

export const SIDECAR_DEFAULTS: SidecarOptions = {
  image: 'ssec-proxy:latest',
  configMap: 'ssec-proxy',
  secrets: [],
  credentialsSecret: 'none',
  port: 9000,
  adminPort: 9464,
  region: 'none',
  requests: { cpu: '250m', memory: '192Mi' },
  memoryLimit: '512Mi',
}

export const SIDECAR_NAME = 'ssec-proxy'
export const INJECTED_LABEL = 'ssec-proxy.io/injected'

type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json }

/**
 * A native sidecar (Kubernetes 1.29): an init container that goes on running. It is ready before what comes after it
 * starts, and ends after it. As the chart makes it (helm/templates/_pod.tpl); a test compares.
 */
export function sidecarContainer({ image, adminPort, requests, memoryLimit }: SidecarOptions): Json {
  const probe = (path: string): Json => ({ path, port: 'ssec-admin' })
  return {
    name: SIDECAR_NAME,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['serve', '--config', '/etc/ssec-proxy/ssec-proxy.yaml'],
    ports: [{ name: 'ssec-admin', containerPort: adminPort }],
    startupProbe: { httpGet: probe('/healthz'), failureThreshold: 60, periodSeconds: 2 },
    livenessProbe: { httpGet: probe('/healthz'), failureThreshold: 6, periodSeconds: 10, timeoutSeconds: 5 },
    readinessProbe: { httpGet: probe('/readyz'), failureThreshold: 2, periodSeconds: 5, timeoutSeconds: 3 },
    resources: { limits: { memory: memoryLimit }, requests: { cpu: requests.cpu, memory: requests.memory } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsGroup: 65532,
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: SIDECAR_NAME, mountPath: '/etc/ssec-proxy', readOnly: true }],
    restartPolicy: 'Always',
  }
}

/** Everything beside the configuration, in one volume, so that it changes at once. Nothing else mounts it. */
export function sidecarVolume({ configMap, secrets }: SidecarOptions): Json {
  const sources = [{ configMap: { name: configMap } }, ...secrets.map((name) => ({ secret: { name } }))]
  // The pod need not have an fsGroup by which the proxy's user could read more closed files.
  return { name: SIDECAR_NAME, projected: { defaultMode: 0o444, sources } }
}

/**
 * What programs read where their S3 is: AWS's SDKs and tools (since 2023; never AWS_ENDPOINT_URL, which is about all
 * services), s5cmd, rclone, MLflow.
 */
export const ENDPOINT_VARIABLES = [
  'AWS_ENDPOINT_URL_S3',
  'S3_ENDPOINT_URL',
  'RCLONE_S3_ENDPOINT',
  'MLFLOW_S3_ENDPOINT_URL',
]

/** An entry of `env`. */
export type Variable = { readonly name: string } & { readonly [field: string]: Json }

/** Variables that a program has to have. */
export const endpointVariables = ({ port }: SidecarOptions): readonly Variable[] =>
  ENDPOINT_VARIABLES.map((name) => ({ name, value: `http://127.0.0.1:${port}` }))

/**
 * Variables of the program's signature, in groups: each is given where the program has none of the group. They are about
 * all of AWS's services, so they are given where asked for only.
 */
export function signingVariables({ region, credentialsSecret }: SidecarOptions): readonly (readonly Variable[])[] {
  const from = (key: string): Json => ({ secretKeyRef: { name: credentialsSecret, key } })
  const regions = ['AWS_REGION', 'AWS_DEFAULT_REGION'].map((name) => ({ name, value: region }))
  const credentials = [
    { name: 'AWS_ACCESS_KEY_ID', valueFrom: from('access-key-id') },
    { name: 'AWS_SECRET_ACCESS_KEY', valueFrom: from('secret-access-key') },
  ]
  return [region === 'none' ? [] : regions, credentialsSecret === 'none' ? [] : credentials]
}
