// The chart installed into a real API server of Kubernetes, with etcd and no more: what it makes is taken, its pods pass the
// admission of a namespace that enforces `restricted`. No pod runs: there is no scheduler and no node.
// manifests are looked at as they come

import { spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { injectManifests } from '../../src/cli/inject-manifests.js'
import { SIDECAR_DEFAULTS } from '../../src/cli/sidecar.js'
import { freePorts } from '../support/free-ports.js'
import { type Manifest, parseManifests, podOf } from '../support/manifests.js'
import { run } from '../support/run-program.js'

const CHART = fileURLToPath(new URL('../../helm/', import.meta.url))
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ssec-proxy-test')
const program = (name: string): string => join(CACHE, name)

interface Api {
  readonly url: string
  readonly token: string
  readonly ca: string
  /** For what programs keep. */
  readonly folder: string
  /** Status and document of the answer. */
  readonly ask: (
    method: string,
    path: string,
    body?: object,
  ) => Promise<{ status: number; body: Manifest; warnings: readonly string[] }>
}

async function startApi(t: Test): Promise<Api> {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-kubernetes-'))
  const stops: (() => Promise<void>)[] = []
  t.teardown(async () => {
    for (const stop of stops.toReversed()) await stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const output: string[] = []
  const start = (name: string, args: readonly string[]): void => {
    const child = spawn(program(name), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => output.push(data.toString()))
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const kill = (): void => void child.kill('SIGKILL')
    process.once('exit', kill)
    stops.push(async () => {
      process.off('exit', kill)
      kill()
      await ended
    })
  }
  const [etcd = 0, peer = 0, port = 0] = await freePorts(3)
  start('etcd', [
    ...['--data-dir', join(folder, 'etcd'), '--listen-client-urls', `http://127.0.0.1:${etcd}`],
    ...['--advertise-client-urls', `http://127.0.0.1:${etcd}`, '--listen-peer-urls', `http://127.0.0.1:${peer}`],
  ])
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(join(folder, 'sa.key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(join(folder, 'sa.pub'), keys.publicKey.export({ type: 'spki', format: 'pem' }))
  const token = randomBytes(16).toString('hex')
  writeFileSync(join(folder, 'tokens.csv'), `${token},test,test,system:masters\n`, { mode: 0o600 })
  start('kube-apiserver', [
    ...['--etcd-servers', `http://127.0.0.1:${etcd}`, '--bind-address', '127.0.0.1', '--secure-port', String(port)],
    ...['--cert-dir', join(folder, 'certs'), '--token-auth-file', 'tokens.csv', '--authorization-mode', 'AlwaysAllow'],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-cluster-ip-range', '10.0.0.0/24'],
    ...['--service-account-key-file', 'sa.pub', '--service-account-signing-key-file', 'sa.key'],
  ])
  const caFile = join(folder, 'certs/apiserver.crt')
  const ask: Api['ask'] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const ca = readFileSync(caFile)
      const asked = request({ host: '127.0.0.1', port, path, method, headers, ca, agent: false }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const warnings = [answer.headers['warning'] ?? []].flat()
          resolve({ status: answer.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text, warnings })
        })
      })
      asked.once('error', reject)
      asked.end(body === undefined ? '' : JSON.stringify(body))
    })
  const isReady = async (): Promise<boolean> =>
    (await ask('GET', '/readyz').catch(() => ({ status: 0 }))).status === 200
  for (const end = Date.now() + 90_000; !(await isReady());) {
    if (Date.now() > end) throw new Error(`the API server did not come up: ${output.join('').slice(-2000)}`)
    await delay(250)
  }
  return { url: `https://127.0.0.1:${port}`, token, ca: caFile, folder, ask }
}

const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
}

async function theApiServer(t: Test): Promise<void> {
  const api = await startApi(t)
  const namespace = async (name: string): Promise<void> => {
    const made = await api.ask('POST', '/api/v1/namespaces', { metadata: { name, labels: RESTRICTED } })
    t.equal(made.status, 201, name)
  }
  const helm = (...args: readonly string[]) =>
    run(
      program('helm'),
      [...args, ...['--kube-apiserver', api.url, '--kube-token', api.token, '--kube-ca-file', api.ca]],
      { env: { HOME: api.folder } },
    )
  const createPod = (namespace: string, name: string, { metadata, spec }: Manifest) => {
    const { labels, annotations } = metadata
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, annotations }, spec }
    return api.ask('POST', `/api/v1/namespaces/${namespace}/pods`, pod)
  }

  for (const [scenario, kind, path, without] of [
    ['minimal', 'Deployment', 'deployments', []],
    ['daemonset', 'DaemonSet', 'daemonsets', ['metrics.podMonitor.enabled=false', 'daemonset.hostPort=0']],
  ] as const) {
    await t.test(`helm install with helm/ci/${scenario}.yaml`, async (t) => {
      await namespace(scenario)
      const set = without.flatMap((one) => ['--set', one])
      const values = ['--values', join(CHART, `ci/${scenario}.yaml`), ...set]
      const installed = await helm('install', 'release', CHART, '--namespace', scenario, ...values)
      t.equal(installed.code, 0, installed.stderr)
      t.notMatch(installed.stderr, /unknown field|violate|deprecated/i)
      const found = await api.ask('GET', `/apis/apps/v1/namespaces/${scenario}/${path}/release-ssec-proxy`)
      t.equal(found.status, 200, kind)
      const pod = await createPod(scenario, 'one', podOf({ ...found.body, kind }))
      t.equal(pod.status, 201, 'a pod of it is admitted')
      t.same(pod.warnings, [])
      const upgraded = await helm(
        'upgrade',
        'release',
        CHART,
        '--namespace',
        scenario,
        ...values,
        '--set',
        'config.workers=2',
      )
      t.equal(upgraded.code, 0, upgraded.stderr)
      t.equal((await helm('uninstall', 'release', '--namespace', scenario)).code, 0)
    })
  }

  await t.test('the admission is in force', async (t) => {
    await namespace('strict')
    await api.ask('POST', '/api/v1/namespaces/strict/serviceaccounts', { metadata: { name: 'default' } })
    const pod = { metadata: {}, spec: { containers: [{ name: 'a', image: 'a' }] } }
    t.equal((await createPod('strict', 'a', pod)).status, 403, 'a pod without a security context')
  })

  await t.test('what `inject` gives is taken, and its sidecar is a native one', async (t) => {
    await namespace('injected')
    await api.ask('POST', '/api/v1/namespaces/injected/serviceaccounts', { metadata: { name: 'default' } })
    const securityContext = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    }
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'program' },
      spec: { containers: [{ name: 'program', image: 'program', securityContext }] },
    }
    const options = { ...SIDECAR_DEFAULTS, inject: true, containers: 'all' as const, secrets: ['keys'] }
    const [injected] = parseManifests(injectManifests(JSON.stringify(pod), options).text)
    const made = await createPod('injected', 'program', injected)
    t.equal(made.status, 201, JSON.stringify(made.body.message))
    t.same(made.warnings, [])
    t.equal(made.body.spec.initContainers[0].restartPolicy, 'Always')
  })
}

const missing = ['kube-apiserver', 'etcd', 'helm'].filter((name) => !existsSync(program(name)))
if (missing.length === 0) void t.test('the API server', theApiServer)
else
  t.pass('the API server', {
    skip: `there is no ${missing.join(', no ')}: scripts/kubernetes-api builds what takes minutes`,
  })
