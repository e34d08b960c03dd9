// manifests are looked at as they come
/* eslint-disable @typescript-eslint/no-unsafe-argument */
// What of the chart can be looked at without Helm; test/e2e/helm.test.ts renders it.
import { readFileSync, readdirSync } from 'node:fs'
import { Registry, collectDefaultMetrics } from 'prom-client'
import t from 'tap'
import { parse } from 'yaml'
import {
  SIDECAR_DEFAULTS,
  endpointVariables,
  sidecarContainer,
  sidecarVolume,
  signingVariables,
} from '../../src/cli/sidecar.js'
import {
  type Manifest,
  beyondRestricted,
  configurationProblems,
  manifestProblems,
  parseManifests,
  podOf,
} from '../support/manifests.js'

const helm = new URL('../../helm/', import.meta.url)
const text = (name: string): string => readFileSync(new URL(name, helm), 'utf8')

/** The names in the documentation, which test/telemetry holds to the code, and those that node's client gives by itself. */
async function knownMetrics(): Promise<ReadonlySet<string>> {
  const documented = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = [...documented.matchAll(/^\| `(ssec_proxy_\w+)` +\| (\w+)/gm)]
  const names = rows.flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name],
  )
  const register = new Registry()
  collectDefaultMetrics({ register })
  const own = (await register.getMetricsAsJSON()).map(({ name }) => name)
  return new Set([...names, ...own])
}

for (const name of ['dashboards/ssec-proxy.json', 'templates/prometheusrule.yaml']) {
  t.test(`${name} asks for metrics that there are`, async (t) => {
    const known = await knownMetrics()
    const asked = new Set(text(name).match(/\b(?:ssec_proxy|nodejs|process)_[a-z0-9_]+/g))
    t.ok(asked.size > 8, 'names were found')
    for (const metric of asked) t.ok(known.has(metric), metric)
  })
}

t.test('README.md has the comments of values.yaml, and every value has one', async (t) => {
  const { describedValues, helmReadme } = await import('../../scripts/helm-readme.mjs')
  t.same(describedValues(text('values.yaml')).undescribed, [])
  t.same(describedValues('a:\n  b: 1\n# c\nd: 1\n').undescribed, ['a.b'], 'one without a comment would be found')
  t.equal(await helmReadme(text('README.md'), text('values.yaml')), text('README.md'), 'run scripts/helm-readme.mjs')
})

t.test('values.schema.json knows every value, and no other', async (t) => {
  const compare = (schema: Manifest, values: Manifest, path: string): void => {
    if (schema?.additionalProperties !== false) return
    for (const name of Object.keys(values)) {
      t.ok(schema.properties[name] !== undefined, `${path}${name}`)
      compare(schema.properties[name], values[name], `${path}${name}.`)
    }
  }
  const schema = JSON.parse(text('values.schema.json'))
  const values = parse(text('values.yaml'))
  compare(schema, values, '')
  const without = Object.keys(schema.properties).filter((name) => !(name in values))
  t.same(without, ['global', 'enabled'], 'what Helm and charts around this one set')
})

const manifests = readdirSync(new URL('manifests/', helm)).sort()

t.test('there is a manifest for each use', async (t) => {
  t.same(manifests, ['daemonset.yaml', 'deployment.yaml', 'sidecar.yaml'])
})

for (const name of manifests) {
  t.test(`manifests/${name} is valid, restricted, and its configuration has no problem`, async (t) => {
    const objects = parseManifests(text(`manifests/${name}`))
    for (const object of objects) t.same(manifestProblems(object), [], object.kind)
    const [configMap] = objects.filter(({ kind }) => kind === 'ConfigMap')
    const files = ['main.json', 'app', 'tls.crt', 'tls.key', 'documents.json', 'access-key-id', 'secret-access-key']
    const others = ['storage-ca.crt', 'upstream-access-key-id', 'upstream-secret-access-key']
    t.same(configurationProblems(configMap, [...files, ...others], []), [])
    const [workload] = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
    const pod = podOf(workload)
    const proxy = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((one) => one.name === 'ssec-proxy')
    t.same(beyondRestricted(proxy, pod), name === 'daemonset.yaml' ? ['hostPort'] : [])
    t.equal(proxy.securityContext.readOnlyRootFilesystem, true)
  })
}

t.test('`inject` gives the sidecar that the chart gives', async (t) => {
  const [deployment] = parseManifests(text('manifests/sidecar.yaml')).filter(({ kind }) => kind === 'Deployment')
  const pod = podOf(deployment)
  const [container] = pod.spec.initContainers
  const options = {
    ...SIDECAR_DEFAULTS,
    image: container.image,
    configMap: 'documents-ssec-proxy',
    secrets: ['documents-keyring', 'documents-s3'],
    credentialsSecret: 'documents-s3',
  }
  t.same(container, sidecarContainer(options))
  t.same(pod.spec.volumes, [sidecarVolume(options)])
  t.same(pod.spec.containers[0].env, [...endpointVariables(options), ...signingVariables(options).flat()])
  t.equal(pod.metadata.labels['ssec-proxy.io/injected'], 'true')
})

t.test('the versions of chart and program belong together', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', helm), 'utf8'))
  t.equal(parse(text('Chart.yaml')).appVersion, version)
})
