import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { diskFiles, type Files } from '../../src/config/files.js'
import { loadConfig } from '../../src/config/load.js'
import type { Config } from '../../src/config/types.js'
import { parseYaml } from '../../src/config/yaml.js'

const directory = fileURLToPath(new URL('../../config/', import.meta.url))
const names = readdirSync(directory)
  .filter((file) => file.endsWith('.yaml'))
  .sort()

/** Everything that the examples name is there, and no more. */
const THERE = new Set(
  [
    ...['proxy.crt', 'proxy.key', 'clients-ca.crt', 'storage-ca.crt'].map((file) => `tls/${file}`),
    ...['main', 'documents', 'backups', 'analytics', 'former-application-key'].map((file) => `keys/${file}.json`),
    ...['access-key-id', 'secret-access-key', 'backup', 'reports'].map((file) => `secrets/${file}`),
  ].map((file) => `${directory}${file}`),
)

const files: Files = {
  readText: (path) =>
    THERE.has(path) ? `text of ${path.replace(/^.*\//, '')}\n`.replaceAll(' ', '-') : diskFiles.readText(path),
  kindOf: (path) => (THERE.has(path) ? 'file' : path === `${directory}run` ? 'directory' : 'missing'),
}

const env = {
  APP_SECRET_ACCESS_KEY: 'app-secret',
  ADMIN_SECRET_ACCESS_KEY: 'admin-secret',
  STORAGE_ACCESS_KEY_ID: 'STORAGE',
  STORAGE_SECRET_ACCESS_KEY: 'storage-secret',
}

function load(name: string): Config {
  const result = loadConfig(`${directory}${name}`, env, files)
  if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
  return result.config
}

t.test('there is one for each use', async (t) => {
  t.same(names, ['aws.yaml', 'ceph-minio.yaml', 'minimal.yaml', 'sidecar.yaml'])
})

for (const name of names) {
  t.test(`${name} has no problem, is completed by editors, and is explained`, async (t) => {
    t.doesNotThrow(() => load(name))
    const lines = readFileSync(`${directory}${name}`, 'utf8').split('\n')
    t.equal(lines[0], '# yaml-language-server: $schema=./ssec-proxy.schema.json')
    const comments = lines.filter((line) => /^\s*#/.test(line)).length
    t.ok(comments * 4 > lines.filter((line) => line !== '').length, 'a quarter of the lines are comments')
  })

  t.test(`${name} misses each file and variable that is not there`, async (t) => {
    const result = loadConfig(`${directory}${name}`, {}, diskFiles)
    t.equal(result.type, 'problems')
    const paths = result.type === 'problems' ? result.problems.map(({ path }) => path) : []
    t.ok(paths.length > 2)
    t.ok(
      paths.every((path) => /\.(cert|key|clientCa|ca|file|env|path)$/.test(path)),
      paths.join(' '),
    )
  })
}

t.test('minimal.yaml in full: what is not written has its default', async (t) => {
  const config = load('minimal.yaml')
  const { authentication } = config.identities[0]!
  t.equal(authentication.type === 'access-key' && authentication.secretAccessKey.reveal(), 'app-secret')
  t.same(JSON.parse(JSON.stringify(config)), {
    listeners: [
      {
        type: 'https',
        host: '0.0.0.0',
        port: 8443,
        tls: { certFile: `${directory}tls/proxy.crt`, keyFile: `${directory}tls/proxy.key` },
        clientCa: { type: 'none' },
      },
    ],
    baseDomains: [],
    clientRegions: [],
    upstream: {
      endpoint: { hostname: 's3.eu-central-1.amazonaws.com', port: 443 },
      region: { type: 'fixed', region: 'eu-central-1' },
      addressing: 'path',
      ca: { type: 'system' },
      credentials: { type: 'default' },
      trailingChecksums: 'relay',
      preflight: 'off',
      pass: 'lean',
      proof: 'answer',
      connectTimeoutMs: 10_000,
      idleTimeoutMs: 120_000,
      maxSockets: 512,
      keepAliveMs: 4000,
    },
    identities: [
      {
        name: 'app',
        class: 'default',
        authentication: {
          type: 'access-key',
          accessKeyId: 'APPCLIENT',
          secretAccessKey: '[secret]',
          signatures: ['v4'],
          presignedV2LifetimeMs: null,
        },
        grants: [{ bucket: '*', prefixes: [''], permissions: ['read', 'write', 'delete', 'list'] }],
        upstreamCredentials: 'shared',
      },
    ],
    keyrings: [{ name: 'main', type: 'derived', file: `${directory}keys/main.json`, kms: 'none' }],
    rules: [
      {
        bucket: '*',
        prefix: '',
        keys: {
          type: 'encrypted',
          keyring: 'main',
          alsoRead: [],
          bucketIdentity: 'bucket',
          plaintext: 'deny',
          clientKeys: 'reject',
          clientEncryption: 'drop',
        },
        etag: 'opaque',
      },
    ],
    admin: { type: 'off' },
    log: { level: 'info', objectKeys: 'clear' },
    audit: { type: 'off' },
    tracing: { type: 'off' },
    workers: 1,
    rememberedObjects: 100_000,
    timeouts: { headersMs: 30_000, clientIdleMs: 60_000, keepAliveMs: 65_000, drainMs: 30_000 },
  })
})

t.test('sidecar.yaml: no signature on loopback, credentials from files', async (t) => {
  const { listeners, identities, upstream, rules, admin } = load('sidecar.yaml')
  t.same(listeners, [{ type: 'http', host: '127.0.0.1', port: 9000, anonymous: 'local-program' }])
  t.same(identities[0]!.authentication, { type: 'anonymous' })
  t.same(identities[0]!.grants[0]!.prefixes, ['inbox/', 'archive/'])
  const { credentials } = upstream
  t.equal(credentials.type === 'static' && credentials.accessKeyId, 'text-of-access-key-id')
  t.equal(credentials.type === 'static' && credentials.secretAccessKey.reveal(), 'text-of-secret-access-key')
  t.equal(credentials.type === 'static' && credentials.sessionToken, 'none')
  t.match(rules[0]!.keys, { type: 'encrypted', plaintext: 'allow' })
  t.same(admin, { type: 'on', host: '127.0.0.1', port: 9464 })
})

t.test('aws.yaml: learned regions, rules per bucket, the AWS chain', async (t) => {
  const { listeners, baseDomains, clientRegions, upstream, identities, rules, log, workers, timeouts } =
    load('aws.yaml')
  t.match(listeners[0], { type: 'https', clientCa: { type: 'file', file: `${directory}tls/clients-ca.crt` } })
  t.same(baseDomains, ['s3.internal.example.com'])
  t.same(clientRegions, ['eu-central-1', 'us-east-1'])
  t.same(upstream.endpoint, { hostname: 's3.{region}.amazonaws.com', port: 443 })
  t.same(upstream.region, { type: 'learned', first: 'eu-central-1' })
  t.equal(upstream.addressing, 'virtual-hosted')
  t.same(upstream.credentials, { type: 'default' })
  t.same(identities[1]!.upstreamCredentials, { type: 'profile', profile: 'reports' })
  t.same(
    rules.map(({ bucket, prefix, keys }) => [bucket, prefix, keys.type, keys.clientKeys]),
    [
      ['backups-eu', '', 'encrypted', 'reject'],
      ['backups-us', '', 'encrypted', 'reject'],
      ['analytics', '', 'encrypted', 'reject'],
      ['analytics', 'access-logs/', 'plain', 'reject'],
      ['analytics', 'own-keys/', 'encrypted', 'relay'],
    ],
  )
  t.match(rules[1]!.keys, { bucketIdentity: 'backups-eu' })
  t.match(rules[2]!.keys, { alsoRead: ['former-application-key'], plaintext: 'allow' })
  t.equal(log.objectKeys, 'hashed')
  t.equal(workers, 2)
  t.equal(timeouts.drainMs, 300_000)
})

t.test('ceph-minio.yaml: its own CA, path style, checksums verified here, ETags passed', async (t) => {
  const { listeners, upstream, identities, rules } = load('ceph-minio.yaml')
  t.same(listeners[1], { type: 'unix', path: `${directory}run/s3.sock`, anonymous: 'none' })
  t.same(upstream.endpoint, { hostname: 's3.storage.example.com', port: 9000 })
  t.same(upstream.ca, { type: 'file', file: `${directory}tls/storage-ca.crt` })
  t.equal(upstream.trailingChecksums, 'verify')
  t.equal(upstream.addressing, 'path')
  t.equal(upstream.credentials.type === 'static' && upstream.credentials.accessKeyId, 'STORAGE')
  t.same(identities[1]!.grants[0]!.permissions, ['read', 'write', 'delete', 'list', 'manage'])
  t.equal(rules[0]!.etag, 'passthrough')
})

t.test('no example has a secret in it, only references', async (t) => {
  const visit = (value: unknown, name: string): void => {
    if (name === 'secretAccessKey' || name === 'sessionToken') t.match(Object.keys(value as object), [/^(env|file)$/])
    if (typeof value === 'object' && value !== null) for (const [key, child] of Object.entries(value)) visit(child, key)
  }
  for (const name of names) {
    const yaml = parseYaml(readFileSync(`${directory}${name}`, 'utf8'))
    visit(yaml.type === 'value' && yaml.value, '')
  }
})
