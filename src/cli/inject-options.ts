import type { SidecarOptions } from './sidecar.js'

/** What one pod is to have: from the command line, then the workload's annotations, then the pod's. */
export interface PodOptions extends SidecarOptions {
  readonly inject: boolean
  /** Containers that get the variables. */
  readonly containers: readonly string[] | 'all'
}

export type ReadOptions =
  | { readonly type: 'options'; readonly options: PodOptions }
  | { readonly type: 'problems'; readonly problems: readonly string[] }

export const ANNOTATIONS = 'ssec-proxy.io/'

/** A name of Kubernetes' objects: RFC 1123's subdomain. */
export const isObjectName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(name)

const isImage = (text: string): boolean => /^[\w][\w.:/@-]{0,511}$/.test(text)
const isQuantity = (text: string): boolean => /^[0-9]+(?:\.[0-9]+)?(?:m|k|M|G|Ki|Mi|Gi)?$/.test(text)

type Change = (options: PodOptions, text: string) => PodOptions | string

const list = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

const named =
  (give: (name: string) => Partial<PodOptions>): Change =>
  (options, text) =>
    isObjectName(text) ? { ...options, ...give(text) } : 'must be the name of an object'

const quantity =
  (give: (options: PodOptions, value: string) => Partial<PodOptions>): Change =>
  (options, text) =>
    isQuantity(text) ? { ...options, ...give(options, text) } : 'must be a quantity, such as 250m or 512Mi'

const port =
  (give: (value: number) => Partial<PodOptions>): Change =>
  (options, text) =>
    /^[0-9]{4,5}$/.test(text) && Number(text) >= 1024 && Number(text) < 65_536
      ? { ...options, ...give(Number(text)) }
      : 'must be a port from 1024 to 65535'

/** Annotation, or long option of the command line → its change. */
export const CHANGES: Readonly<Record<string, Change>> = {
  inject: (options, text) =>
    text === 'true' || text === 'false' ? { ...options, inject: text === 'true' } : "must be 'true' or 'false'",
  image: (options, text) => (isImage(text) ? { ...options, image: text } : 'must be the name of an image'),
  'config-map': named((configMap) => ({ configMap })),
  secrets: (options, text) => {
    const secrets = list(text)
    return secrets.every(isObjectName) ? { ...options, secrets } : 'must be names of Secrets, with commas between them'
  },
  'credentials-secret': named((credentialsSecret) => ({ credentialsSecret })),
  containers: (options, text) => ({ ...options, containers: list(text) }),
  port: port((value) => ({ port: value })),
  'admin-port': port((adminPort) => ({ adminPort })),
  region: (options, text) =>
    /^[a-z0-9-]{1,64}$/.test(text) ? { ...options, region: text } : 'must be the name of a region',
  'cpu-request': quantity(({ requests }, cpu) => ({ requests: { ...requests, cpu } })),
  'memory-request': quantity(({ requests }, memory) => ({ requests: { ...requests, memory } })),
  'memory-limit': quantity((_, memoryLimit) => ({ memoryLimit })),
}

/** Reads annotations over what is there already. One that does not exist is a problem: it would be a typing error. */
export function withAnnotations(options: PodOptions, annotations: Readonly<Record<string, unknown>>): ReadOptions {
  const problems: string[] = []
  let result = options
  for (const [name, value] of Object.entries(annotations)) {
    if (!name.startsWith(ANNOTATIONS) || name === `${ANNOTATIONS}config-checksum`) continue
    const what = name.slice(ANNOTATIONS.length)
    const change = Object.hasOwn(CHANGES, what) ? CHANGES[what] : undefined
    if (change === undefined) {
      problems.push(`annotation ${name}: is unknown; there are ${Object.keys(CHANGES).join(', ')}`)
      continue
    }
    const changed = typeof value === 'string' ? change(result, value) : 'must be text: put it in quotes'
    if (typeof changed === 'string') problems.push(`annotation ${name}: ${changed}`)
    else result = changed
  }
  return problems.length > 0 ? { type: 'problems', problems } : { type: 'options', options: result }
}
