import fc from 'fast-check'
import t from 'tap'
import { parseConfig, type ConfigContext } from '../../src/config/parse.js'

const context: ConfigContext = {
  env: { SECRET: 'the-secret-value' },
  readText: (path) => (path === '/etc/proxy/secrets/app' ? 'from-a-file\r\n' : path === '/abs' ? 'absolute' : 'x'),
  kindOf: (path) => (path.endsWith('gone') ? 'missing' : path.endsWith('/run') ? 'directory' : 'file'),
  baseDirectory: '/etc/proxy',
}

const valid = () => ({
  listeners: [
    { https: { port: 8443, cert: 'tls/crt', key: '/tls/key' } },
    { http: { port: 9000, anonymous: 'guest' } },
    { unix: { path: 'run/s3.sock' } },
  ],
  baseDomains: ['S3.Example.com'],
  upstream: {
    endpoint: 'https://s3.{region}.example.com',
    region: 'learned',
    credentials: { accessKeyId: 'UPSTREAM', secretAccessKey: { env: 'SECRET' }, sessionToken: { file: 'secrets/app' } },
  },
  identities: [
    {
      name: 'app',
      accessKeyId: 'APP',
      secretAccessKey: { file: 'secrets/app' },
      grants: [{ bucket: 'logs-*', prefixes: ['a/', 'b/'], permissions: ['read', 'manage'] }],
      upstreamCredentials: { profile: 'app' },
    },
    { name: 'guest', anonymous: true, grants: [{ bucket: 'logs', permissions: ['list'] }] },
  ],
  keyrings: [{ name: 'main', type: 'derived', file: 'keys/main.json' }],
  rules: [
    { bucket: 'logs', keyring: 'main', alsoRead: [], bucketIdentity: 'old-logs' },
    { bucket: 'logs', prefix: 'public/', keyring: 'none', clientKeys: 'relay' },
  ],
  admin: { host: '::1', port: 9464 },
})

const configOf = (value: unknown, others: Partial<ConfigContext> = {}) => {
  const result = parseConfig(value, { ...context, ...others })
  if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
  return result.config
}

const problemsOf = (value: unknown, others: Partial<ConfigContext> = {}) => {
  const result = parseConfig(value, { ...context, ...others })
  return result.type === 'problems' ? result.problems : []
}

t.test('files are relative to the base directory, unless they are absolute', async (t) => {
  const { listeners, keyrings } = configOf(valid())
  t.same(listeners[0], {
    type: 'https',
    host: '0.0.0.0',
    port: 8443,
    tls: { certFile: '/etc/proxy/tls/crt', keyFile: '/tls/key' },
    clientCa: { type: 'none' },
  })
  t.same(listeners[2], { type: 'unix', path: '/etc/proxy/run/s3.sock', anonymous: 'none' })
  t.equal(keyrings[0]!.file, '/etc/proxy/keys/main.json')
})

t.test('secrets come from where they are referred to, without the line feed', async (t) => {
  const { identities, upstream } = configOf(valid())
  const { authentication } = identities[0]!
  t.equal(authentication.type === 'access-key' && authentication.secretAccessKey.reveal(), 'from-a-file')
  const { credentials } = upstream
  if (credentials.type !== 'static' || credentials.sessionToken === 'none') throw new Error('is static, with a token')
  t.equal(credentials.secretAccessKey.reveal(), 'the-secret-value')
  t.equal(credentials.sessionToken.reveal(), 'from-a-file')
  t.notMatch(JSON.stringify(configOf(valid())), /the-secret-value|from-a-file/)
})

t.test('only one line feed is dropped, and no other white space', async (t) => {
  for (const text of ['secret\n\n', 'secret \n', ' secret', 'secret\t', '\nsecret', '\ufeffsecret\n', 'a\u00a0\n']) {
    const problems = problemsOf(valid(), { readText: () => text })
    t.ok(
      problems.some(({ path }) => path === 'identities[0].secretAccessKey.file'),
      JSON.stringify(text),
    )
  }
  t.same(problemsOf(valid(), { readText: () => 'inner white space\n' }), [])
  t.match(problemsOf(valid(), { readText: () => 'x'.repeat(20_000) })[0], { message: /too long/ })
})

t.test('base domains are lower-case; ports and prefixes are as written', async (t) => {
  const config = configOf(valid())
  t.same(config.baseDomains, ['s3.example.com'])
  t.same(config.admin, { type: 'on', host: '::1', port: 9464 })
  t.same(config.identities[0]!.grants[0]!.prefixes, ['a/', 'b/'])
  t.same(config.identities[0]!.upstreamCredentials, { type: 'profile', profile: 'app' })
  t.same(config.rules[1], {
    bucket: 'logs',
    prefix: 'public/',
    keys: { type: 'plain', clientKeys: 'relay' },
    etag: 'opaque',
  })
})

t.test('the value itself is not changed', async (t) => {
  const value = valid()
  configOf(value)
  t.same(value, valid())
})

t.test('a process told not to check certificates does not start', async (t) => {
  const path = 'env.NODE_TLS_REJECT_UNAUTHORIZED'
  const env = (setting: string) => ({ env: { ...context.env, NODE_TLS_REJECT_UNAUTHORIZED: setting } })
  t.match(problemsOf(valid(), env('0')), [{ path, message: /upstream\.ca/ }])
  t.same(problemsOf(valid(), env('1')), [])
  t.ok(problemsOf({}, env('0')).some((problem) => problem.path === path))
})

t.test('plain http to the upstream is refused, however it is written', async (t) => {
  for (const endpoint of [
    'http://minio:9000',
    'HTTP://minio',
    'minio:9000',
    '//minio',
    ' https://minio',
    'ftp://minio',
  ]) {
    const value = valid()
    value.upstream.endpoint = endpoint
    t.match(problemsOf(value), [
      { path: 'upstream.endpoint', message: /^must start with https:\/\/.*plain http never carries keys/ },
    ])
  }
})

t.test('nobody gets in without a signature except where it is configured', async (t) => {
  const value = valid()
  t.equal(configOf({ ...value, listeners: [{ http: { port: 1 } }] }).listeners[0]!.type === 'http', true)
  t.match(configOf({ ...value, listeners: [{ http: { port: 1 } }] }).listeners[0], { anonymous: 'none' })
  const https = { https: { port: 1, cert: 'c', key: 'k', anonymous: 'guest' } }
  t.match(problemsOf({ ...value, listeners: [https] }), [{ path: 'listeners[0].https.anonymous' }])
  const open = { http: { host: '0.0.0.0', port: 1, anonymous: 'guest' } }
  t.match(problemsOf({ ...value, listeners: [open] }), [{ path: 'listeners[0].http.host' }])
})

t.test('anything at all in place of a configuration is a problem, not a crash', async (t) => {
  for (const value of [null, undefined, 0, '', 'text', true, [], [[]], {}, { listeners: null }, { rules: [null, 1] }]) {
    t.equal(parseConfig(value, context).type, 'problems')
  }
})

/** Puts a value into a document at the n-th place, whichever that is. */
function replaced(document: unknown, place: number, value: unknown): unknown {
  let count = 0
  const visit = (node: unknown): unknown => {
    if (count++ === place) return value
    if (Array.isArray(node)) return node.map(visit)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, visit(child)]))
  }
  return visit(document)
}

t.test('any damage gives a configuration or problems with a place, in one line each', async () => {
  fc.assert(
    fc.property(fc.nat(90), fc.jsonValue({ maxDepth: 2 }), (place, damage) => {
      const result = parseConfig(replaced(valid(), place, damage), context)
      if (result.type === 'config') return true
      return (
        result.problems.length > 0 &&
        result.problems.every(
          ({ path, message }) => path !== '' && /^\S[^\n]*\S$/.test(message) && !path.includes('undefined'),
        )
      )
    }),
    { numRuns: 400 },
  )
})

t.test('whatever is written where a secret belongs, none of it is repeated', async () => {
  const marker = 'mArKeR0123456789'
  const shape = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.constantFrom(marker, `${marker}+/=`, `x ${marker}`, `${marker}\n`),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('env', 'file', 'value', marker, `${marker}/`), tie('value'), { maxKeys: 3 }),
    ),
  })).value
  const places = [
    (secret: unknown) => ({ ...valid(), upstream: { ...valid().upstream, credentials: secret } }),
    (secret: unknown) => ({
      ...valid(),
      upstream: { ...valid().upstream, credentials: { accessKeyId: 'AAA', secretAccessKey: secret } },
    }),
    (secret: unknown) => ({ ...valid(), identities: [{ ...valid().identities[0]!, secretAccessKey: secret }] }),
    (secret: unknown) => ({ ...valid(), identities: [{ ...valid().identities[0]!, accessKeyId: secret }] }),
  ]
  const away = {
    ...context,
    readText: () => {
      throw new Error(`ENOENT ${marker}`)
    },
  }
  fc.assert(
    fc.property(fc.constantFrom(...places), shape, (place, secret) => {
      const result = parseConfig(place(secret), away)
      return result.type === 'problems' && !JSON.stringify(result.problems).includes(marker)
    }),
    { numRuns: 400 },
  )
})
