#!/usr/bin/env node
// kubernetes-schemas.mjs: writes helm/ci/schemas.json, JSON schemas of the kinds that the chart and `inject` make, from
// PyPI's kubernetes-validate (Kubernetes' own OpenAPI, in strict form) and from the custom resources in the Go modules of the
// Prometheus Operator and of cert-manager. Without descriptions, and with what the kinds refer to only. Needs Go and Python.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'

const KUBERNETES = '1.37.0'
const MODULES = [
  [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    ['servicemonitors', 'podmonitors', 'prometheusrules'].map(
      (name) => `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`,
    ),
  ],
  ['github.com/cert-manager/cert-manager@v1.21.2', ['deploy/crds/cert-manager.io_certificates.yaml']],
]
const core = (kind) => [`v1/${kind}`, `io.k8s.api.core.v1.${kind}`]
const KINDS = Object.fromEntries([
  ...['Pod', 'Service', 'ServiceAccount', 'ConfigMap', 'Secret', 'PodTemplate', 'ReplicationController'].map(core),
  ...['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet'].map((kind) => [
    `apps/v1/${kind}`,
    `io.k8s.api.apps.v1.${kind}`,
  ]),
  ...['Job', 'CronJob'].map((kind) => [`batch/v1/${kind}`, `io.k8s.api.batch.v1.${kind}`]),
  ['networking.k8s.io/v1/NetworkPolicy', 'io.k8s.api.networking.v1.NetworkPolicy'],
  ['policy/v1/PodDisruptionBudget', 'io.k8s.api.policy.v1.PodDisruptionBudget'],
  ['autoscaling/v2/HorizontalPodAutoscaler', 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler'],
])

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-schemas-'))
const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, `kubernetes-validate==${KUBERNETES}`]
execFileSync('python3', pip, { stdio: 'inherit' })
const all = JSON.parse(
  readFileSync(
    join(folder, `kubernetes_validate/kubernetes-json-schema/v${KUBERNETES}-local-strict/_definitions.json`),
    'utf8',
  ),
).$defs
rmSync(folder, { recursive: true })

/** Whether a pattern is one for JavaScript too; Go's have flags inside. */
function isPattern(text) {
  try {
    return new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** Without what is for readers; references to this file's own definitions. */
function slim(value) {
  if (Array.isArray(value)) return value.map(slim)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(
    ([name, child]) =>
      !(typeof child === 'string' && (name === 'description' || (name === 'pattern' && !isPattern(child)))) &&
      !/^x-kubernetes-|^\$(id|schema)$/.test(name),
  )
  return Object.fromEntries(
    kept.map(([name, child]) =>
      name === '$ref' && typeof child === 'string'
        ? [name, `#/$defs/${child.replace(/^.*\//, '')}`]
        : [name, slim(child)],
    ),
  )
}

const definitions = {}
function add(name) {
  if (definitions[name] !== undefined) return
  definitions[name] = slim(all[name])
  for (const [, other] of JSON.stringify(definitions[name]).matchAll(/"#\/\$defs\/([^"]+)"/g)) add(other)
}
for (const name of Object.values(KINDS)) add(name)

/** Custom resources say what they take, and the API server drops the rest; here the rest is a mistake. */
function strict(schema) {
  if (Array.isArray(schema)) return schema.map(strict)
  if (typeof schema !== 'object' || schema === null) return schema
  const inside = Object.fromEntries(Object.entries(schema).map(([name, child]) => [name, strict(child)]))
  const closed = typeof schema.properties === 'object' && schema.type === 'object'
  return closed && inside.additionalProperties === undefined ? { ...inside, additionalProperties: false } : inside
}

const kinds = Object.fromEntries(Object.entries(KINDS).map(([kind, name]) => [kind, `#/$defs/${name}`]))
for (const [module, files] of MODULES) {
  const { Dir } = JSON.parse(execFileSync('go', ['mod', 'download', '-json', module], { cwd: tmpdir() }).toString())
  for (const file of files) {
    const { spec } = parse(readFileSync(join(Dir, file), 'utf8'))
    const version = spec.versions.find(({ storage }) => storage)
    const schema = strict(slim(version.schema.openAPIV3Schema))
    schema.properties.metadata = { $ref: '#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
    const name = `${spec.group}.${version.name}.${spec.names.kind}`
    definitions[name] = schema
    kinds[`${spec.group}/${version.name}/${spec.names.kind}`] = `#/$defs/${name}`
  }
}

const text = JSON.stringify({
  $comment: `Kubernetes ${KUBERNETES}; made by scripts/kubernetes-schemas.mjs`,
  kinds,
  $defs: definitions,
})
writeFileSync(new URL('../helm/ci/schemas.json', import.meta.url), `${text}\n`)
console.log(`${Object.keys(kinds).length} kinds, ${Object.keys(definitions).length} definitions, ${text.length} bytes`)
