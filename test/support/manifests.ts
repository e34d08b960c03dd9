// manifests are looked at as they come
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return */
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { parseAllDocuments } from 'yaml'
import { checkConfig } from '../../src/config/parse.js'
import { parseYaml } from '../../src/config/yaml.js'

/** An object of Kubernetes; only looked at by tests, so any field may be asked for. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Manifest = any

interface Schemas {
  /** `apps/v1/Deployment` → where in `$defs`. */
  readonly kinds: Readonly<Record<string, string>>
}

const schemas = JSON.parse(readFileSync(new URL('../../helm/ci/schemas.json', import.meta.url), 'utf8')) as Schemas
// the schemas have formats and keywords of OpenAPI's
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
ajv.addSchema({ ...schemas, $id: 'kubernetes' })

/** Each object of a stream; the templates of Helm leave empty documents. */
export const parseManifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text, { version: '1.1', merge: true, strict: true }).flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    const value = document.toJS() as unknown
    return value === null ? [] : [value]
  })

/** What Kubernetes' own schemas, or those of a custom resource, find wrong: unknown fields too. */
export function manifestProblems(manifest: Manifest): readonly string[] {
  const kind = `${manifest.apiVersion}/${manifest.kind}`
  const reference = schemas.kinds[kind]
  if (reference === undefined) return [`${kind}: no schema; add it to scripts/kubernetes-schemas.mjs`]
  const validate = ajv.getSchema(`kubernetes${reference}`)
  if (validate === undefined) throw new Error(`no ${reference}`)
  if (validate(manifest) === true) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${kind} ${instancePath}: ${message} ${JSON.stringify(params)}`,
  )
}

/** The pod of a workload. */
export const podOf = (manifest: Manifest): Manifest =>
  manifest.kind === 'Pod'
    ? manifest
    : manifest.kind === 'CronJob'
      ? manifest.spec.jobTemplate.spec.template
      : manifest.spec.template

/** What of a container is beyond the pod security standard `restricted`. */
export function beyondRestricted(container: Manifest, pod: Manifest = {}): readonly string[] {
  const own = container.securityContext ?? {}
  const both = { ...(pod.spec?.securityContext ?? {}), ...own }
  return [
    own.allowPrivilegeEscalation === false || 'allowPrivilegeEscalation',
    own.capabilities?.drop?.includes('ALL') || 'capabilities.drop',
    own.capabilities?.add === undefined || 'capabilities.add',
    both.runAsNonRoot === true || 'runAsNonRoot',
    both.runAsUser !== 0 || 'runAsUser',
    both.seccompProfile?.type === 'RuntimeDefault' || 'seccompProfile',
    own.privileged === undefined || 'privileged',
    !(container.ports ?? []).some(({ hostPort }: Manifest) => hostPort) || 'hostPort',
    !['hostNetwork', 'hostPID', 'hostIPC'].some((name) => pod.spec?.[name]) || 'host namespaces',
    (pod.spec?.volumes ?? []).every((volume: Manifest) => volume.hostPath === undefined) || 'hostPath',
  ].filter((one) => one !== true) as readonly string[]
}

/** What the proxy itself finds wrong in the configuration of a ConfigMap, where every file is there that is mounted. */
export function configurationProblems(
  configMap: Manifest,
  files: readonly string[],
  env: readonly string[],
): readonly string[] {
  const yaml = parseYaml(configMap.data['ssec-proxy.yaml'])
  if (yaml.type === 'problems') return yaml.problems.map(({ message }) => message)
  const there = (path: string) => files.includes(path.replace('/etc/ssec-proxy/', ''))
  const checked = checkConfig(yaml.value, {
    baseDirectory: '/etc/ssec-proxy',
    env: Object.fromEntries(env.map((name) => [name, 'some-secret'])),
    kindOf: (path) => (there(path) ? 'file' : 'missing'),
    readText: (path) => {
      if (!there(path)) throw new Error(`no ${path}`)
      return 'some-text'
    },
  })
  return checked.type === 'config' ? [] : checked.findings.map(({ at, message }) => `${at.join('.')}: ${message}`)
}
