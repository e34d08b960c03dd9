// manifests are looked at as they come
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { inject } from '../../src/cli/inject.js'
import { injectManifests } from '../../src/cli/inject-manifests.js'
import type { PodOptions } from '../../src/cli/inject-options.js'
import type { CliIo } from '../../src/cli/io.js'
import { SIDECAR_DEFAULTS } from '../../src/cli/sidecar.js'
import { type Manifest, beyondRestricted, manifestProblems, parseManifests, podOf } from '../support/manifests.js'

const DEFAULTS: PodOptions = {
  ...SIDECAR_DEFAULTS,
  image: 'registry.example.com/ssec-proxy:1',
  secrets: ['keys', 'app-s3'],
  inject: true,
  containers: 'all',
}
const ENDPOINT = { name: 'AWS_ENDPOINT_URL_S3', value: 'http://127.0.0.1:9000' }

const given = (text: string, options: Partial<PodOptions> = {}) => injectManifests(text, { ...DEFAULTS, ...options })

/** Injects what must be possible, checks that doing it again changes no byte, and gives the objects. */
function injected(t: Test, text: string, options: Partial<PodOptions> = {}): readonly Manifest[] {
  const once = given(text, options)
  t.ok(
    once.objects.every(({ type }) => type !== 'refused'),
    JSON.stringify(once.objects),
  )
  t.equal(given(once.text, options).text, once.text, 'twice is once')
  return parseManifests(once.text)
}

/** The notes of the only object, which is refused. */
function refusal(t: Test, text: string, options: Partial<PodOptions> = {}): string {
  const { objects } = given(text, options)
  t.equal(objects.length, 1)
  t.equal(objects[0]?.type, 'refused')
  return objects[0]?.notes.join('\n') ?? ''
}

const spec = { containers: [{ name: 'app', image: 'app:1' }] }
const template = { metadata: { labels: { app: 'x' } }, spec }
const selector = { matchLabels: { app: 'x' } }
const named = (apiVersion: string, kind: string, rest: object) => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  ...rest,
})
const job = { template: { ...template, spec: { ...spec, restartPolicy: 'Never' } } }
const workloads = [
  named('v1', 'Pod', { spec }),
  named('v1', 'ReplicationController', { spec: { template } }),
  named('apps/v1', 'Deployment', { spec: { selector, template } }),
  named('apps/v1', 'StatefulSet', { spec: { selector, serviceName: 'x', template } }),
  named('apps/v1', 'DaemonSet', { spec: { selector, template } }),
  named('apps/v1', 'ReplicaSet', { spec: { selector, template } }),
  named('batch/v1', 'Job', { spec: job }),
  named('batch/v1', 'CronJob', { spec: { schedule: '@daily', jobTemplate: { spec: job } } }),
]

for (const workload of workloads) {
  t.test(`${workload.kind}: a native sidecar, its volume, the program's variables; valid for Kubernetes`, async (t) => {
    const [object] = injected(t, JSON.stringify(workload))
    t.same(manifestProblems(object), [])
    const { metadata, spec } = podOf(object)
    const [sidecar] = spec.initContainers
    t.match(sidecar, { name: 'ssec-proxy', restartPolicy: 'Always', image: DEFAULTS.image })
    t.same(beyondRestricted(sidecar), [])
    t.same(spec.volumes[0].projected.sources, [
      { configMap: { name: 'ssec-proxy' } },
      { secret: { name: 'keys' } },
      { secret: { name: 'app-s3' } },
    ])
    t.same(spec.containers[0].env[0], ENDPOINT)
    t.equal(metadata.labels['ssec-proxy.io/injected'], 'true')
    t.equal(spec.containers[0].env.filter(({ name }: Manifest) => /^AWS_(?:REGION|ACCESS|SECRET)/.test(name)).length, 0)
  })
}

t.test('lists, streams of several, JSON and YAML', async (t) => {
  const list = { apiVersion: 'v1', kind: 'List', items: [...workloads, named('v1', 'Service', { spec: {} })] }
  const [object] = injected(t, JSON.stringify(list))
  t.equal(object.items.filter((item: Manifest) => JSON.stringify(item).includes('9000')).length, workloads.length)
  t.same(object.items.at(-1), named('v1', 'Service', { spec: {} }))
  for (const item of object.items.slice(0, -1)) t.same(manifestProblems(item), [])
  const stream = workloads.map((one) => JSON.stringify(one, null, 1)).join('\n---\n')
  t.equal(injected(t, stream).length, workloads.length)
})

const WITH_COMMENTS = `# who owns this
apiVersion: apps/v1
kind: Deployment # the program
metadata:
  name: app
spec:
  selector: { matchLabels: {app: x} }
  template:
    metadata:
      labels: {app: x}
    spec:
      # one is enough
      containers:
      - name: app
        image: "app:1" # pinned
        env:
        - name: A # why
          value: "1"
`

t.test('comments, quotes and order stay', async (t) => {
  const { text } = given(WITH_COMMENTS)
  const kept = [
    '# who owns this',
    'kind: Deployment # the program',
    '      # one is enough',
    '"app:1" # pinned',
    '# why',
  ]
  for (const part of kept) t.ok(text.includes(part), part)
  const before = WITH_COMMENTS.split('\n').slice(0, 5).join('\n')
  t.ok(text.startsWith(before), 'the lines before the change are as they were')
  t.match(text, /\n {8}- name: AWS_ENDPOINT_URL_S3\n/, 'lists are as far in as they were')
  injected(t, WITH_COMMENTS)
})

t.test('what is no pod comes back byte for byte', async (t) => {
  const others = [
    '# only a comment\n',
    'apiVersion: v1\nkind:   ConfigMap\nmetadata: {name:  x}\ndata:\n  pod.yaml: |\n    apiVersion: v1\n    kind: Pod\n    spec: {}\n',
    'apiVersion: example.com/v1\nkind: Deployment\nspec: { template: { spec: { containers: [ {name: a} ] } } }\n',
    'apiVersion: v1\nkind: Service\nspec: &a { x: *a }\n',
    'apiVersion: v1\nkind: Secret\nstringData: {k: "%"}   \n...\n',
    'kind: List\napiVersion: v1\nitems:\n- {kind: Namespace,   apiVersion: v1}\n',
    'kind: [Pod]\n',
    '- kind: Pod\n',
    '"kind: Pod"\n',
    'kind: Deployment\n',
    '\uFEFFkind: Service\r\n',
    '',
  ]
  for (const text of others) t.same(given(text), { text, objects: [] }, JSON.stringify(text))
  const stream = `${others.slice(0, 5).join('---\n')}--- # here\n${WITH_COMMENTS}---\n${others[1] ?? ''}`
  const { text } = given(stream)
  t.ok(text.startsWith(others.slice(0, 5).join('---\n')))
  t.ok(text.endsWith(`---\n${others[1] ?? ''}`))
  injected(t, stream)
})

t.test('lines that end in CRLF go on to', async (t) => {
  const { text } = given(WITH_COMMENTS.replaceAll('\n', '\r\n'))
  t.notMatch(text, /[^\r]\n/)
})

t.test("the program's own variables", async (t) => {
  const pod = (env: readonly object[], more: object = {}) =>
    JSON.stringify(named('v1', 'Pod', { spec: { containers: [{ name: 'app', image: 'app', env, ...more }] } }))
  const envOf = (text: string, options: Partial<PodOptions> = {}) =>
    injected(t, text, options)[0].spec.containers[0].env
  const names = (env: Manifest) => env.map(({ name }: Manifest) => name)

  const other = { name: 'AWS_ENDPOINT_URL_S3', value: 'https://s3.example.com' }
  t.same(envOf(pod([{ name: 'A', value: '1' }, other])).slice(0, 2), [{ name: 'A', value: '1' }, ENDPOINT])
  t.match(given(pod([other])).objects[0]?.notes, [/AWS_ENDPOINT_URL_S3 had another value, which is replaced/])
  t.same(given(pod([ENDPOINT])).objects[0]?.notes, [])

  const options = { credentialsSecret: 'app-s3', region: 'eu-west-1' }
  t.same(names(envOf(pod([]), options)).slice(-4), [
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
  ])
  const own = [
    { name: 'AWS_DEFAULT_REGION', value: 'us-west-2' },
    { name: 'AWS_ACCESS_KEY_ID', value: 'OWN' },
  ]
  const env = envOf(pod(own), options)
  t.same(env.slice(0, 2), own, 'a program that has its own keeps them')
  t.notOk(
    names(env).includes('AWS_REGION') || names(env).includes('AWS_SECRET_ACCESS_KEY'),
    'and gets no half of a pair',
  )
})

t.test('init containers speak to S3 too, behind the sidecar', async (t) => {
  const text = JSON.stringify(
    named('v1', 'Pod', { spec: { ...spec, initContainers: [{ name: 'restore', image: 'app:1' }] } }),
  )
  const [{ spec: pod }] = injected(t, text) as [Manifest]
  t.same(
    pod.initContainers.map(({ name }: Manifest) => name),
    ['ssec-proxy', 'restore'],
  )
  t.same(pod.initContainers[1].env[0], ENDPOINT)
  t.equal(pod.initContainers[0].env, undefined)
})

t.test('empty and absent parts', async (t) => {
  for (const odd of [
    'metadata:\nspec:\n  volumes:\n  initContainers: []\n  containers:\n  - name: a\n    env:\n',
    'metadata: {labels: }\nspec: {containers: [{name: a, env: []}], volumes: []}\n',
  ]) {
    const [pod] = injected(t, `apiVersion: v1\nkind: Pod\n${odd}`)
    t.same(pod.spec.containers[0].env[0], ENDPOINT)
    t.equal(pod.spec.volumes.length, 1)
    t.equal(pod.metadata.labels['ssec-proxy.io/injected'], 'true')
  }
})

const annotated = (annotations: object, kind = 'Pod') =>
  kind === 'Pod'
    ? JSON.stringify({ ...named('v1', 'Pod', { spec }), metadata: { name: 'x', annotations } })
    : JSON.stringify({
        ...named('apps/v1', kind, { spec: { selector, template } }),
        metadata: { name: 'x', annotations },
      })

t.test('annotations choose, of the pod before those of what makes it', async (t) => {
  const options = {
    'ssec-proxy.io/image': 'other:2',
    'ssec-proxy.io/config-map': 'other-config',
    'ssec-proxy.io/secrets': 'one, two',
    'ssec-proxy.io/credentials-secret': 'creds',
    'ssec-proxy.io/port': '9100',
    'ssec-proxy.io/admin-port': '9500',
    'ssec-proxy.io/region': 'eu-north-1',
    'ssec-proxy.io/cpu-request': '1',
    'ssec-proxy.io/memory-request': '1Gi',
    'ssec-proxy.io/memory-limit': '2Gi',
    'ssec-proxy.io/config-checksum': 'anything',
    'example.com/other': 'x',
  }
  for (const kind of ['Pod', 'Deployment']) {
    const [object] = injected(t, annotated(options, kind))
    t.same(manifestProblems(object), [])
    const pod = podOf(object).spec
    t.match(pod.initContainers[0], {
      image: 'other:2',
      ports: [{ containerPort: 9500 }],
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
    })
    t.match(pod.volumes[0].projected.sources, [
      { configMap: { name: 'other-config' } },
      {},
      { secret: { name: 'two' } },
    ])
    t.equal(pod.containers[0].env[0].value, 'http://127.0.0.1:9100')
    t.match(pod.containers[0].env.at(-1), { valueFrom: { secretKeyRef: { name: 'creds' } } })
  }
  const both = JSON.parse(annotated({ 'ssec-proxy.io/port': '9100' }, 'Deployment'))
  both.spec.template.metadata.annotations = { 'ssec-proxy.io/port': '9200' }
  t.equal(podOf(injected(t, JSON.stringify(both))[0]).spec.containers[0].env[0].value, 'http://127.0.0.1:9200')

  const out = annotated({ 'ssec-proxy.io/inject': 'false' })
  t.match(given(out), { text: out, objects: [{ type: 'left' }] })
  const two = JSON.parse(annotated({ 'ssec-proxy.io/containers': 'b' }))
  two.spec.containers = [{ name: 'a' }, { name: 'b' }]
  t.same(
    injected(t, JSON.stringify(two))[0].spec.containers.map(({ env }: Manifest) => env?.length ?? 0),
    [0, 4],
  )
})

t.test('a changed option changes what is there', async (t) => {
  const first = given(WITH_COMMENTS).text
  const second = given(first, { image: 'registry.example.com/ssec-proxy:2', port: 9001 }).text
  const pod = podOf(parse(second)).spec
  t.equal(pod.initContainers.length, 1)
  t.equal(pod.initContainers[0].image, 'registry.example.com/ssec-proxy:2')
  t.equal(pod.containers[0].env.length, 5)
  t.equal(pod.containers[0].env[1].value, 'http://127.0.0.1:9001')
})

t.test('annotations that are wrong are refused by name', async (t) => {
  for (const [name, value, said] of [
    ['imgae', 'x', /ssec-proxy\.io\/imgae: is unknown; there are inject, image/],
    ['__proto__', 'x', /is unknown/],
    ['inject', 'yes', /must be 'true' or 'false'/],
    ['inject', true, /must be text: put it in quotes/],
    ['port', '80', /must be a port from 1024/],
    ['port', '9000; rm', /must be a port/],
    ['image', 'a b', /must be the name of an image/],
    ['image', '', /must be the name of an image/],
    ['config-map', '../x', /must be the name of an object/],
    ['secrets', 'a,B', /must be names of Secrets/],
    ['memory-limit', 'much', /must be a quantity/],
    ['region', 'eu\nwest', /must be the name of a region/],
    ['containers', 'app,nobody', /there is no container nobody/],
  ] as const) {
    t.match(refusal(t, annotated(Object.fromEntries([[`ssec-proxy.io/${name}`, value]]))), said)
  }
})

t.test('what cannot be done safely is refused, and says why', async (t) => {
  const pod = (more: object) => JSON.stringify(named('v1', 'Pod', { spec: { ...spec, ...more } }))
  const cases: readonly (readonly [string, RegExp])[] = [
    [pod({ hostNetwork: true }), /hostNetwork: the sidecar's listener would be open to every program on the node/],
    [pod({ os: { name: 'windows' } }), /the image is for Linux/],
    [pod({ containers: [{ name: 'ssec-proxy', image: 'x' }] }), /containers: one is called ssec-proxy/],
    [
      pod({ initContainers: [{ name: 'ssec-proxy', image: 'x' }] }),
      /initContainers: one is called ssec-proxy and is no sidecar/,
    ],
    [
      pod({ volumes: [{ name: 'ssec-proxy', emptyDir: {} }] }),
      /volumes: one is called ssec-proxy and holds something else/,
    ],
    [pod({ containers: [] }), /containers: is missing/],
    [pod({ containers: { name: 'a' } }), /containers: must be a list of mappings/],
    [pod({ containers: ['a'] }), /containers: must be a list of mappings/],
    [pod({ containers: [{ name: 'a', env: { A: '1' } }] }), /env: must be a list of mappings/],
    [JSON.stringify(named('v1', 'Pod', {})), /spec: is missing/],
    [JSON.stringify(named('v1', 'Pod', { metadata: { labels: ['a'] }, spec })), /labels: must be a mapping/],
    [JSON.stringify(named('apps/v1', 'Deployment', { spec: { template: 'x' } })), /spec\.template: must be a mapping/],
    [JSON.stringify(named('apps/v1', 'Deployment', {})), /spec: must be a mapping/],
    [
      'apiVersion: v1\nkind: Pod\nspec:\n  containers: &c [{ name: a }]\n  x: *c\n',
      /anchors and aliases.*write them out/,
    ],
    ['apiVersion: v1\nkind: Pod\nkind: Pod\n', /line 3: this field is there already/],
    ['apiVersion: v1\nkind: Pod\nspec: {{ .Values.pod }}\n', /spec\.containers: is missing/],
    ['apiVersion: v1\nkind: Pod\nspec: [\n', /is no valid YAML/],
    [`apiVersion: v1\nkind: Pod\nspec: ${'['.repeat(100_000)}\n`, /nests too deep/],
  ]
  for (const [text, said] of cases) t.match(refusal(t, text), said, text.slice(0, 200))
  t.match(given('x'.repeat(33 * 1024 * 1024)).objects, [{ type: 'refused', notes: [/larger than 32 MiB/] }])
  const bomb = `a: &a [x]\nb: &b [${'*a, '.repeat(9)}*a]\nc: &c [${'*b, '.repeat(9)}*b]\nkind: Pod\napiVersion: v1\nspec: [${'*c, '.repeat(9)}*c]\n`
  t.match(refusal(t, bomb), /anchors and aliases/)
  const shared = given(pod({ shareProcessNamespace: true })).objects[0]
  t.match(shared, { type: 'injected', notes: [/can read the proxy's keys/] })
})

t.test('names that are odd do no harm', async (t) => {
  const text = `apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  __proto__: { polluted: "yes" }\n  annotations: { __proto__: x, constructor: y }\nspec:\n  containers:\n  - { name: 3, env: [ { name: [a] }, { name: toString } ] }\n`
  const { objects } = given(text)
  t.equal(objects[0]?.type, 'injected')
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

interface Said {
  code: number
  stdout: string
  stderr: string
}

function command(file: string, options: Readonly<Record<string, string>> = {}): Said {
  const said = { stdout: '', stderr: '' }
  const io: CliIo = {
    stdout: (text) => (said.stdout += text),
    stderr: (text) => (said.stderr += text),
    env: {},
    now: () => new Date(),
    randomBytes: (size) => Buffer.alloc(size),
  }
  return { code: inject(file, options, io), ...said }
}

t.test('the command: manifests on stdout, the rest on stderr; refused as a whole', async (t) => {
  const folder = t.testdir({
    'good.yaml': WITH_COMMENTS,
    'bad.yaml': `${WITH_COMMENTS}---\n${JSON.stringify(named('v1', 'Pod', { spec: { ...spec, hostNetwork: true } }))}\n`,
    'none.yaml': 'kind: Service\n',
  })
  const good = command(join(folder, 'good.yaml'), { image: 'x:1', configMap: 'c', memoryLimit: '1Gi' })
  t.match(good, { code: 0, stderr: 'Deployment app: injected\n' })
  t.equal(podOf(parse(good.stdout)).spec.initContainers[0].resources.limits.memory, '1Gi')
  const bad = command(join(folder, 'bad.yaml'))
  t.match(bad, { code: 1, stdout: '', stderr: /Deployment app: injected\nPod x: refused\n {2}spec\.hostNetwork: / })
  t.match(command(join(folder, 'none.yaml')), { code: 0, stdout: 'kind: Service\n', stderr: /no pod was found/ })
  t.match(command(join(folder, 'gone.yaml')), { code: 1, stdout: '', stderr: /cannot be read: no such file/ })
  t.match(command(join(folder, 'good.yaml'), { adminPort: '1' }), {
    code: 1,
    stdout: '',
    stderr: /^--admin-port: must be a port/,
  })
})
