// The chart rendered by Helm: every scenario of helm/ci against Kubernetes' schemas, what the templates decide, what wrong
// values are told, and the manifests for those without Helm.
// manifests are looked at as they come
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { stringify } from 'yaml'
import { manifests, render, withConsumer } from '../../scripts/helm-manifests.mjs'
import { run } from '../support/run-program.js'
import { makeInstallation, removeInstallation, startProxy } from '../support/running-proxy.js'
import { startEmbedded } from './embedded.js'
import {
  type Manifest,
  beyondRestricted,
  configurationProblems,
  manifestProblems,
  parseManifests,
  podOf,
} from '../support/manifests.js'

const CHART = fileURLToPath(new URL('../../helm/', import.meta.url))
const HELM = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ssec-proxy-test', 'helm')
const NEWEST = '1.37.0'

type Rendered =
  | { readonly type: 'objects'; readonly objects: readonly Manifest[] }
  | { readonly type: 'refused'; readonly said: string }

const scenarioFile = (name: string): string => join(CHART, 'ci', `${name}.yaml`)

/** The chart with the values of a scenario, and some more. */
function template(scenario: string, values: object = {}, args: readonly string[] = []): Rendered {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-values-'))
  try {
    const more = join(folder, 'values.yaml')
    writeFileSync(more, stringify(values))
    const files = [...(scenario === 'none' ? [] : ['--values', scenarioFile(scenario)]), '--values', more]
    const command = [
      'template',
      'release',
      CHART,
      '--namespace',
      'storage',
      '--kube-version',
      NEWEST,
      ...files,
      ...args,
    ]
    const { status, stdout, stderr } = spawnSync(HELM, command, { encoding: 'utf8' })
    return status === 0 ? { type: 'objects', objects: parseManifests(stdout) } : { type: 'refused', said: stderr }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function objectsOf(scenario: string, values: object = {}): readonly Manifest[] {
  const rendered = template(scenario, values)
  if (rendered.type === 'refused') throw new Error(rendered.said)
  return rendered.objects
}

const kindsOf = (objects: readonly Manifest[]): readonly string[] => objects.map(({ kind }) => kind).sort()
const one = (objects: readonly Manifest[], kind: string): Manifest => objects.find((object) => object.kind === kind)

/** Files and variables that a scenario's Secrets have. */
const MOUNTED = ['main.json', 'backups.json', 'documents.json', 'app', 'tls.crt', 'tls.key', 'storage-ca.crt']
const SECRETS = ['access-key-id', 'secret-access-key', 'upstream-access-key-id', 'upstream-secret-access-key']

function theChart(): void {
  const scenarios = readdirSync(join(CHART, 'ci'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -5))

  t.test('lint', async (t) => {
    for (const scenario of scenarios) {
      const args = ['lint', '--strict', CHART, '--kube-version', NEWEST, '--values', scenarioFile(scenario)]
      const { status, stdout } = spawnSync(HELM, args, { encoding: 'utf8' })
      t.equal(status, 0, `${scenario}: ${stdout}`)
    }
  })

  for (const scenario of scenarios) {
    t.test(`helm/ci/${scenario}.yaml is valid, restricted, without secrets`, async (t) => {
      const objects = objectsOf(scenario)
      for (const object of objects) {
        t.same(manifestProblems(object), [], object.kind)
        t.not(object.kind, 'Secret')
        t.equal(object.metadata.namespace, undefined, 'the namespace is where it is installed')
      }
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      t.equal(new Set(names).size, names.length, 'each object once')
      const configMap = objects.find(({ kind, data }) => kind === 'ConfigMap' && data['ssec-proxy.yaml'] !== undefined)
      const files = [...MOUNTED, ...SECRETS]
      t.same(configurationProblems(configMap, files, ['BACKUP_SECRET_ACCESS_KEY']), [], 'the proxy takes it')
      for (const object of objects.filter(({ kind }) => ['Deployment', 'DaemonSet', 'Pod'].includes(kind))) {
        const pod = podOf(object)
        const allowed = object.kind === 'DaemonSet' ? ['hostPort'] : []
        for (const container of pod.spec.containers) {
          t.same(beyondRestricted(container, pod), allowed, object.kind)
          t.equal(container.securityContext.readOnlyRootFilesystem, true)
        }
        t.equal(pod.spec.automountServiceAccountToken, false)
      }
    })
  }

  t.test('what each use is made of', async (t) => {
    t.same(kindsOf(objectsOf('minimal')), [
      'ConfigMap',
      'Deployment',
      'Pod',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
    ])
    t.same(kindsOf(objectsOf('daemonset')), [
      'ConfigMap',
      'DaemonSet',
      'NetworkPolicy',
      'Pod',
      'PodMonitor',
      'Service',
      'ServiceAccount',
    ])
    t.same(kindsOf(objectsOf('sidecar')), ['ConfigMap', 'PodMonitor', 'PrometheusRule'])
    t.same(
      kindsOf(objectsOf('everything')),
      [
        ...['Certificate', 'ConfigMap', 'ConfigMap', 'Deployment', 'HorizontalPodAutoscaler', 'NetworkPolicy', 'Pod'],
        ...['PodDisruptionBudget', 'PrometheusRule', 'Service', 'Service', 'ServiceAccount', 'ServiceMonitor'],
      ].sort(),
    )
  })

  t.test('services, monitors and budgets select the pods, and the test pod is none of them', async (t) => {
    for (const scenario of ['minimal', 'everything', 'daemonset']) {
      const objects = objectsOf(scenario)
      const { labels } = podOf(one(objects, scenario === 'daemonset' ? 'DaemonSet' : 'Deployment')).metadata
      const probe = one(objects, 'Pod').metadata.labels
      const matches = (selector: Manifest, to: Manifest) =>
        Object.entries(selector).every(([name, value]) => to[name] === value)
      const selectors = objects.flatMap(({ kind, spec }) => {
        if (kind === 'Service') return [spec.selector]
        if (['PodDisruptionBudget', 'PodMonitor', 'Deployment', 'DaemonSet'].includes(kind))
          return [spec.selector.matchLabels]
        return kind === 'NetworkPolicy' ? [spec.podSelector.matchLabels] : []
      })
      t.ok(selectors.length > 1)
      for (const selector of selectors) {
        t.ok(matches(selector, labels), scenario)
        t.notOk(matches(selector, probe), `${scenario}: the test pod`)
      }
      const monitor = one(objects, 'ServiceMonitor')
      if (monitor === undefined) continue
      const found = objects.filter(
        ({ kind, metadata }) => kind === 'Service' && matches(monitor.spec.selector.matchLabels, metadata.labels),
      )
      t.same(
        found.map(({ metadata }) => metadata.name),
        ['s3-metrics'],
        'one service has the metrics',
      )
    }
  })

  t.test('the pod lives as long as its drain', async (t) => {
    const grace = (values: object) =>
      podOf(one(objectsOf('minimal', values), 'Deployment')).spec.terminationGracePeriodSeconds
    const drain = (text: string) => ({ config: { timeouts: { drain: text } } })
    t.equal(grace({}), 45, '30 s, 5 s before and 10 s more')
    t.equal(grace(drain('90s')), 105)
    t.equal(grace(drain('5m')), 315)
    t.equal(grace(drain('2h')), 7215)
    t.equal(grace(drain('1500ms')), 17)
    t.equal(grace({ ...drain('1m'), preStopSeconds: 20 }), 90)
    t.equal(grace({ ...drain('1m'), terminationGracePeriodSeconds: 65 }), 65)
    const refused = template('minimal', { ...drain('1m'), terminationGracePeriodSeconds: 64 })
    t.match(refused, { type: 'refused', said: /terminationGracePeriodSeconds: is less than .* together \(65\)/ })
    const [container] = podOf(one(objectsOf('minimal'), 'Deployment')).spec.containers
    t.same(container.lifecycle, { preStop: { sleep: { seconds: 5 } } })
    const [without] = podOf(one(objectsOf('minimal', { preStopSeconds: 0 }), 'Deployment')).spec.containers
    t.equal(without.lifecycle, undefined)
  })

  t.test('a changed configuration replaces pods, other values do not', async (t) => {
    const checksum = (values: object) =>
      podOf(one(objectsOf('minimal', values), 'Deployment')).metadata.annotations['ssec-proxy.io/config-checksum']
    t.match(checksum({}), /^[0-9a-f]{64}$/)
    t.equal(checksum({ replicaCount: 5 }), checksum({}))
    t.not(checksum({ config: { workers: 2 } }), checksum({}))
  })

  t.test('the network policy opens what is needed, and no more', async (t) => {
    const egress = (scenario: string, values: object = {}) =>
      one(objectsOf(scenario, { networkPolicy: { enabled: true }, ...values }), 'NetworkPolicy').spec.egress.map(
        ({ ports }: Manifest) => ports.map(({ port }: Manifest) => port).join(' '),
      )
    t.same(egress('minimal'), ['53 53', '443'])
    t.same(egress('daemonset'), ['53 53', '9000'], "MinIO's port")
    t.same(egress('everything'), ['53 53', '443', '443', '80'], 'KMS and Pod Identity besides')
    const { ingress } = one(objectsOf('everything'), 'NetworkPolicy').spec
    t.same(
      ingress.map(({ ports }: Manifest) => ports[0].port),
      [8443, 9464],
    )
    t.ok(ingress.every(({ from }: Manifest) => from.length === 1))
    for (const { to } of one(objectsOf('minimal', { networkPolicy: { enabled: true } }), 'NetworkPolicy').spec.egress)
      t.ok(to.length > 0, 'nothing is open to everywhere by an empty list')
  })

  t.test('the certificate covers the names of the service', async (t) => {
    const objects = objectsOf('everything')
    const { spec } = one(objects, 'Certificate')
    t.same(spec.dnsNames.slice(0, 3), ['s3', 's3.storage', 's3.storage.svc'])
    t.ok(spec.dnsNames.includes('*.s3.example.com'))
    const sources = podOf(one(objects, 'Deployment')).spec.volumes[0].projected.sources
    t.ok(
      sources.some(({ secret }: Manifest) => secret?.name === spec.secretName),
      'the pod mounts its Secret',
    )
  })

  t.test('an autoscaler decides on the number of replicas', async (t) => {
    t.equal(one(objectsOf('everything'), 'Deployment').spec.replicas, undefined)
    t.equal(one(objectsOf('minimal'), 'Deployment').spec.replicas, 2)
    t.equal(one(objectsOf('everything'), 'HorizontalPodAutoscaler').spec.scaleTargetRef.name, 's3')
  })

  t.test('a DaemonSet serves its own node', async (t) => {
    const objects = objectsOf('daemonset')
    t.equal(one(objects, 'Service').spec.internalTrafficPolicy, 'Local')
    t.equal(podOf(one(objects, 'DaemonSet')).spec.containers[0].ports[0].hostPort, 8443)
    t.equal(podOf(one(objects, 'DaemonSet')).spec.topologySpreadConstraints, undefined)
  })

  t.test('wrong values are told by name', async (t) => {
    const wrong: readonly (readonly [string, object, RegExp])[] = [
      ['none', {}, /config\.upstream: is missing/],
      ['none', {}, /config\.identities: is missing: nobody could use the proxy/],
      ['none', {}, /tls\.existingSecret: name the Secret/],
      [
        'minimal',
        { keyrings: { existingSecret: '' } },
        /keyrings\.existingSecret: name the Secret with the keyring files/,
      ],
      [
        'minimal',
        { tls: { existingSecret: '', certManager: { enabled: true } } },
        /tls\.certManager\.issuerRef\.name: is missing/,
      ],
      ['sidecar', { secrets: { existingSecret: '' } }, /secrets\.existingSecret: name the Secret with access-key-id/],
      ['minimal', { config: { admin: { host: '127.0.0.1', port: 9464 } } }, /config\.admin\.host: Kubernetes' probes/],
      ['minimal', { config: { timeouts: { drain: 'soon' } } }, /config\.timeouts\.drain: soon is no duration/],
      ['minimal', { config: { upstream: { endpoint: 'http://minio:9000' } } }, /endpoint/],
      [
        'minimal',
        { config: { identities: [{ name: 'a', grants: [], secretAccessKey: 'in the open' }] } },
        /secretAccessKey/,
      ],
      ['minimal', { mode: 'ambient' }, /mode/],
      ['minimal', { replicas: 3 }, /replicas/],
      ['minimal', { image: { digest: 'sha256:short' } }, /digest/],
    ]
    for (const [scenario, values, expected] of wrong) {
      const rendered = template(scenario, values)
      t.match(rendered, { type: 'refused', said: expected }, JSON.stringify(values))
    }
    t.notMatch(
      template('minimal', { config: { identities: [{ name: 'a', grants: [], secretAccessKey: 'in the open' }] } }),
      {
        said: /in the open/,
      },
    )
  })

  t.test('nothing that a value can be breaks out of its place', async (t) => {
    const odd = '"; x: [1]\n  y: {{ .Values }} # é'
    const values = {
      podAnnotations: { note: odd },
      commonLabels: { team: 'true' },
      serviceAccount: { annotations: { note: odd } },
      config: { rules: [{ bucket: 'a: b', prefix: odd, keyring: 'main' }] },
    }
    const objects = objectsOf('minimal', values)
    t.equal(podOf(one(objects, 'Deployment')).metadata.annotations.note, odd)
    t.equal(one(objects, 'ServiceAccount').metadata.annotations.note, odd)
    t.equal(one(objects, 'Service').metadata.labels.team, 'true')
    const [config] = parseManifests(one(objects, 'ConfigMap').data['ssec-proxy.yaml'])
    t.equal(config.rules[0].prefix, odd)
  })

  t.test('other charts include the sidecar', async (t) => {
    const objects = withConsumer((folder) => parseManifests(render(HELM, folder, 'documents')))
    t.same(kindsOf(objects), ['ConfigMap', 'Deployment'])
    for (const object of objects) t.same(manifestProblems(object), [])
    const pod = podOf(one(objects, 'Deployment'))
    t.equal(pod.spec.initContainers[0].restartPolicy, 'Always')
    t.same(beyondRestricted(pod.spec.initContainers[0]), [])
    const otherwise = [
      ...['--set', 'ssec-proxy.mode=deployment,ssec-proxy.tls.existingSecret=tls'],
      ...['--set-json', 'ssec-proxy.config.identities=[{"name":"a","grants":[]}]'],
    ]
    t.throws(() => withConsumer((folder) => render(HELM, folder, 'documents', otherwise)), /mode: sidecar/)
    const noListener = ['--set-json', 'ssec-proxy.config.listeners=[{"unix":{"path":"/run/s3.sock"}}]']
    t.throws(
      () => withConsumer((folder) => render(HELM, folder, 'documents', noListener)),
      /a sidecar needs an http listener/,
    )
  })

  t.test('the notes name what to do next', async (t) => {
    const notes = (scenario: string, args: readonly string[] = []): string => {
      const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-notes-'))
      try {
        cpSync(CHART, folder, { recursive: true })
        const text = readFileSync(join(CHART, 'templates/NOTES.txt'), 'utf8')
        // `helm install` alone shows them, which wants a cluster
        writeFileSync(join(folder, 'templates/_notes.tpl'), `{{ define "notes" }}${text}{{ end }}`)
        writeFileSync(join(folder, 'templates/notes.yaml'), 'kind: Notes\nnotes: {{ include "notes" . | toJson }}\n')
        const rendered = render(HELM, folder, 'release', ['--values', scenarioFile(scenario), ...args])
        return one(parseManifests(rendered), 'Notes').notes
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }
    t.match(
      notes('minimal'),
      /https:\/\/release-ssec-proxy\.default\.svc:443[^]*helm test release[^]*without a copy of it elsewhere/,
    )
    t.notMatch(notes('minimal'), /WARNING/)
    t.match(notes('minimal', ['--set', 'replicaCount=1']), /WARNING: with one replica/)
    t.match(
      notes('sidecar'),
      /ssec-proxy inject --config-map release-ssec-proxy --image ssec-proxy:\S+ --secrets documents-keyring,documents-s3 --credentials-secret documents-s3 program\.yaml/,
    )
  })

  t.test('`helm test` passes where the proxy answers, and fails where it does not', async (t) => {
    const [container] = one(objectsOf('minimal'), 'Pod').spec.containers
    t.same(container.command, ['node', '-e'])
    const [script, url] = container.args as [string, string]
    t.equal(url, 'https://release-ssec-proxy.storage.svc:443/')
    const ask = (to: string) => run(process.execPath, ['-e', script, to])
    const installation = await makeInstallation()
    t.teardown(() => removeInstallation(installation))
    const upstream = await startEmbedded()
    t.teardown(upstream.stop)
    const proxy = await startProxy(installation, { upstream: upstream.server })
    const asked = await ask(`https://localhost:${proxy.httpsPort}/`)
    t.equal(asked.code, 0, asked.stdout.toString())
    await proxy.stop()
    const gone = await ask(`https://localhost:${proxy.httpsPort}/`)
    t.equal(gone.code, 1)
    t.match(gone.stdout.toString(), /ECONNREFUSED/)
  })

  t.test('helm/manifests is what the chart gives', async (t) => {
    for (const [name, text] of Object.entries(manifests(HELM)))
      t.equal(readFileSync(join(CHART, 'manifests', name), 'utf8'), text, `${name}: run scripts/helm-manifests.mjs`)
  })
}

if (existsSync(HELM)) theChart()
else t.pass('the chart', { skip: 'there is no Helm: scripts/e2e-programs builds it where there is Go' })
