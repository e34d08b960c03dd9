import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import type { Finding } from '../../src/doctor/finding.js'
import { issueCertificate, makeAuthority } from '../../src/origin/certificates.js'
import { commandLine, proxyDocument, proxyFiles } from '../support/command-line.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { registerKeyring } from '../support/record.js'
import { s3 } from '../support/s3-client.js'

interface Changes {
  readonly upstream?: object
  readonly identities?: readonly object[]
  readonly rules?: readonly object[]
  readonly now?: () => Date
  readonly args?: readonly string[]
}

async function makeStand(t: Test) {
  const origin = await startTestOrigin({ buckets: ['bucket', { name: 'far', region: 'eu-west-1' }] })
  t.teardown(() => origin.close())
  const folder = t.testdir({
    ...proxyFiles(),
    'other-ca.crt': makeAuthority({ name: 'another CA' }).cert,
    'wrong-secret': 'not-the-secret-of-the-upstream',
  })
  for (const name of ['proxy.key', 'secret', 'wrong-secret']) chmodSync(join(folder, name), 0o600)
  const keyring = join(folder, 'keyring.json')
  const say = (args: readonly string[], now = () => new Date()) => commandLine(args, { now })
  await say(['keys', 'generate', keyring, '--name', 'main', '--type', 'derived'])
  registerKeyring('master key', readFileSync(keyring, 'utf8'))
  const config = join(folder, 'proxy.yaml')
  const configure = ({ upstream, identities, rules }: Changes): void =>
    writeFileSync(
      config,
      stringify(
        proxyDocument(origin.port, upstream, {
          ...(identities === undefined ? {} : { identities }),
          keyrings: [{ name: 'main', type: 'derived', file: 'keyring.json' }],
          rules: rules ?? [
            { bucket: 'bucket', keyring: 'main' },
            { bucket: 'bucket', prefix: 'a b/ü+/', keyring: 'main' },
            { bucket: 'bucket', prefix: 'plain/', keyring: 'none' },
          ],
        }),
      ),
      { mode: 0o644 },
    )
  const run = async (changes: Changes = {}) => {
    configure(changes)
    const said = await say(['doctor', '--config', config, '--json', ...(changes.args ?? [])], changes.now)
    const { ok, findings } = JSON.parse(said.out) as { ok: boolean; findings: Finding[] }
    const of = (check: string, subject?: string) =>
      findings.filter((one) => one.check === check && (subject === undefined || one.subject === subject))
    return { ...said, ok, findings, of }
  }
  return { origin, folder, keyring, config, configure, say, run, side: { port: origin.port, ...ORIGIN_CREDENTIALS } }
}

const leftOver = (objects: readonly { readonly objectKey: string }[]) =>
  objects.filter(({ objectKey }) => objectKey.includes('ssec-proxy-probe'))

t.test('all is well', async (t) => {
  const { run, origin } = await makeStand(t)
  const { code, ok, findings, of, err } = await run()
  t.equal(code, 0, JSON.stringify(findings.filter(({ status }) => status === 'failed')))
  t.ok(ok)
  t.equal(err, '')
  for (const check of ['configuration', 'file', 'certificate', 'keyring', 'plain http', 'name', 'tls', 'clock'])
    t.ok(of(check).length > 0 && of(check).every(({ status }) => status === 'ok'), check)
  for (const check of ['credentials', 'bucket', 'encryption', 'round trip'])
    t.ok(of(check).length > 0 && of(check).every(({ status }) => status === 'ok'), check)
  t.match(of('credentials')[0]?.detail, new RegExp(ORIGIN_CREDENTIALS.accessKeyId))
  t.same(
    of('round trip').map(({ subject }) => subject),
    ['s3://bucket/', 's3://bucket/a b/ü+/'],
    'each prefix under a key, and none in the clear',
  )
  t.match(of('policy')[0], { status: 'note', remedy: 'ssec-proxy policy require s3://bucket prints one' })
  t.equal(origin.objects().length, 0, 'nothing is left behind')
})

t.test('the table for people', async (t) => {
  const { say, config, configure, origin } = await makeStand(t)
  configure({})
  const well = await say(['doctor', '--config', config])
  t.equal(well.code, 0)
  t.match(well.out, /^ok {7}round trip {4}s3:\/\/bucket\/: written with key version/m)
  origin.setBlockedEncryptionTypes('bucket', ['SSE-C'])
  const ill = await say(['doctor', '--config', config])
  t.equal(ill.code, 1)
  t.match(ill.out, /^FAILED {3}encryption {4}bucket: SSE-C is blocked.*April 2026/m)
  t.match(ill.out, /^ +→ aws s3api put-bucket-encryption --bucket bucket /m)
  t.match(ill.out, /findings: 3 failed, 1 note/)
})

t.test('SSE-C is blocked: the command that is shown lifts it', async (t) => {
  const { run, origin, side } = await makeStand(t)
  origin.setBlockedEncryptionTypes('bucket', ['SSE-C'])
  const { code, of } = await run()
  t.equal(code, 1)
  const [finding] = of('encryption')
  t.equal(finding?.status, 'failed')
  t.ok(of('round trip').every(({ status }) => status === 'failed'))
  const json = /^aws s3api put-bucket-encryption --bucket bucket --server-side-encryption-configuration '(.+)'$/.exec(
    finding?.remedy ?? '',
  )?.[1]
  const { Rules } = JSON.parse(json ?? '') as {
    Rules: [
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: string }
        BlockedEncryptionTypes: { EncryptionType: string[] }
      },
    ]
  }
  const [rule] = Rules
  const body = `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>${rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm}</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes>${rule.BlockedEncryptionTypes.EncryptionType.map((type) => `<EncryptionType>${type}</EncryptionType>`).join('')}</BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>`
  t.equal((await s3(side, 'PUT', '/bucket', { query: { encryption: '' }, body })).status, 200)
  t.equal((await run()).code, 0)
})

t.test('what a store says gets neither into the shell nor at the terminal', async (t) => {
  const { say, config, configure, run, origin } = await makeStand(t)
  const id = "x'; touch /tmp/owned #"
  const body =
    '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>' +
    `<KMSMasterKeyID>${id}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes>` +
    '<EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>'
  const buckets =
    '<ListAllMyBucketsResult><Owner><ID>1</ID><DisplayName>\u009b2J\u202eowner</DisplayName></Owner><Buckets/></ListAllMyBucketsResult>'
  origin.faults.intercept = ({ target }) => {
    if (target.includes('encryption')) return { type: 'answer', status: 200, body }
    return target.split('?')[0] === '/' ? { type: 'answer', status: 200, body: buckets } : { type: 'proceed' }
  }
  const { of } = await run()
  t.match(of('encryption')[0]?.remedy, /^aws s3api put-bucket-encryption [^']+'[^']+'$/)
  configure({})
  const { out } = await say(['doctor', '--config', config])
  t.match(out, 'account \\u{9b}2J\\u{202e}owner')
  t.notMatch(out, /[\u009b\u202e]/)
})

t.test('stores that must not be trusted, and nothing stays behind on them', async (t) => {
  const { run, origin } = await makeStand(t)
  for (const [faults, detail] of [
    [{ ignoreCustomerKeys: true }, /ignores customer keys: the object can be read without/],
    [{ proof: 'none' }, /does not confirm the key/],
    [{ proof: 'other-md5' }, /does not confirm the key/],
    [{ truncateBodies: 10 }, /broke in the middle of an answer/],
  ] as const) {
    Object.assign(origin.faults, faults)
    const { code, of } = await run()
    origin.resetFaults()
    t.equal(code, 1, JSON.stringify(faults))
    t.match(of('round trip')[0], { status: 'failed', detail })
    t.same(leftOver(origin.objects('bucket')), [], 'nothing is left')
  }
})

t.test('a store that opens objects with any key', async (t) => {
  const { run, origin } = await makeStand(t)
  let bytes = Buffer.alloc(0)
  let given: Readonly<Record<string, string>> = {}
  origin.faults.intercept = ({ method, target, fields }) => {
    if (!target.includes('probe') || method === 'DELETE') return { type: 'proceed' }
    const md5 = fields.get('x-amz-server-side-encryption-customer-key-md5')
    if (md5 === undefined) return { type: 'answer', status: 400, afterBody: true }
    given = {
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key-MD5': md5,
    }
    if (method === 'GET') return { type: 'answer', status: 200, headers: given, body: bytes }
    bytes = Buffer.from('x')
    return { type: 'answer', status: 200, headers: given, afterBody: true }
  }
  const { of } = await run()
  t.match(of('round trip')[0], { status: 'failed', detail: /ignores which key it is given/ })
})

t.test('credentials: wrong secret, unknown id, none for ListBuckets, those of an identity', async (t) => {
  const { run, origin } = await makeStand(t)
  const wrong = { accessKeyId: ORIGIN_CREDENTIALS.accessKeyId, secretAccessKey: { file: 'wrong-secret' } }
  const refused = await run({ upstream: { credentials: wrong } })
  t.match(refused.of('credentials'), [
    { status: 'failed', detail: /SignatureDoesNotMatch/, remedy: 'check secretAccessKey under upstream.credentials' },
  ])
  t.same(refused.of('round trip'), [], 'what rests on it is left out')
  t.notMatch(refused.out, /not-the-secret/)
  const unknown = await run({ upstream: { credentials: { ...wrong, accessKeyId: 'AKIANOBODY' } } })
  t.match(unknown.of('credentials'), [{ status: 'failed', detail: /AKIANOBODY: .*InvalidAccessKeyId/ }])
  const own = [
    {
      name: 'app',
      accessKeyId: 'APP',
      secretAccessKey: { file: 'secret' },
      upstreamCredentials: wrong,
      grants: [{ bucket: '*', permissions: ['read'] }],
    },
  ]
  const others = await run({ identities: own })
  t.equal(others.code, 1)
  t.match(others.of('credentials'), [
    { status: 'ok', subject: 'upstream' },
    { status: 'failed', subject: 'identity app' },
  ])
  const arn = 'arn:aws:iam::123456789012:user/proxy'
  origin.faults.intercept = ({ target }) =>
    target === '/'
      ? {
          type: 'answer',
          status: 403,
          body: `<Error><Code>AccessDenied</Code><Message>User: ${arn} is not authorized to perform: s3:ListAllMyBuckets</Message></Error>`,
        }
      : { type: 'proceed' }
  const limited = await run()
  t.equal(limited.code, 0)
  t.match(limited.of('credentials'), [{ status: 'ok', detail: new RegExp(`${arn}; may not list buckets`) }])
})

t.test('credentials of the AWS chain: an id that no Authorization header can name, and none at all', async (t) => {
  const { run } = await makeStand(t)
  const names = [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_CONFIG_FILE',
    'AWS_EC2_METADATA_DISABLED',
  ]
  const before = names.map((name) => [name, process.env[name]] as const)
  t.teardown(() => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    }
  })
  const nowhere = {
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  Object.assign(process.env, nowhere, { AWS_ACCESS_KEY_ID: 'AKIA\nsecond line', AWS_SECRET_ACCESS_KEY: 'any' })
  const odd = await run({ upstream: { credentials: 'default' } })
  t.match(odd.of('credentials'), [{ status: 'failed', detail: /access key id.*look at AWS_ACCESS_KEY_ID/ }])
  t.notMatch(odd.out, /second line/)
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) Reflect.deleteProperty(process.env, name)
  const none = await run({ upstream: { credentials: 'default' } })
  t.match(none.of('credentials'), [{ status: 'failed', detail: 'there are none (CredentialsProviderError)' }])
})

t.test('the clock of this machine', async (t) => {
  const { run } = await makeStand(t)
  const off = (minutes: number) => ({ now: () => new Date(Date.now() + minutes * 60_000) })
  t.match((await run(off(5))).of('clock'), [{ status: 'warning', detail: /is \d+ s ahead of the upstream/ }])
  const far = await run(off(-20))
  t.equal(far.code, 1)
  t.match(far.of('clock'), [{ status: 'failed', detail: /behind the upstream; S3 refuses/ }])
  t.match(far.of('credentials'), [{ status: 'failed', detail: /RequestTimeTooSkewed/ }])
})

t.test('name, port, CA and certificate of the upstream', async (t) => {
  const { run, folder } = await makeStand(t)
  const endpoint = async (endpoint: string, ca = 'ca.crt') => run({ upstream: { endpoint, ca } })
  const nowhere = await endpoint('https://nowhere.invalid')
  t.match(nowhere.of('name'), [{ status: 'failed', detail: /has no address/ }])
  t.same(nowhere.of('tls'), [])
  const other = await run({ upstream: { ca: 'other-ca.crt' } })
  t.match(other.of('tls'), [{ status: 'failed', detail: /of no CA that is trusted/, remedy: /upstream\.ca/ }])
  const plain = createPlainServer((_, response) => response.end()).listen(0, '127.0.0.1')
  t.teardown(() => plain.close())
  await new Promise((resolve) => plain.once('listening', resolve))
  const port = (plain.address() as AddressInfo).port
  t.match((await endpoint(`https://localhost:${port}`)).of('tls'), [
    { status: 'failed', detail: /does not speak TLS/, remedy: /plain http is never used/ },
  ])
  plain.closeAllConnections()
  await new Promise((resolve) => plain.close(resolve))
  t.match((await endpoint(`https://localhost:${port}`)).of('tls'), [{ status: 'failed', detail: /nobody listens/ }])
  const authority = makeAuthority({})
  writeFileSync(join(folder, 'elsewhere.crt'), authority.cert)
  for (const [options, detail] of [
    [{ hosts: ['elsewhere.example.com'] }, /another name.*elsewhere\.example\.com/],
    [{ hosts: ['localhost'], now: new Date('2020-01-01'), days: 30 }, /has expired/],
  ] as const) {
    const { cert, key } = issueCertificate(authority, options)
    const server = createTlsServer({ cert, key }, (socket) => socket.end()).listen(0, '127.0.0.1')
    server.on('tlsClientError', () => undefined)
    await new Promise((resolve) => server.once('listening', resolve))
    const look = await endpoint(`https://localhost:${(server.address() as AddressInfo).port}`, 'elsewhere.crt')
    t.match(look.of('tls'), [{ status: 'failed', detail }])
    await new Promise((resolve) => server.close(resolve))
  }
})

t.test('region and bucket', async (t) => {
  const { run } = await makeStand(t)
  const far = await run({ rules: [{ bucket: 'far', keyring: 'main' }] })
  t.match(far.of('region'), [{ status: 'failed', detail: /is in eu-west-1/, remedy: /upstream\.region: eu-west-1/ }])
  const learned = await run({ rules: [{ bucket: 'far', keyring: 'main' }], upstream: { region: 'learned' } })
  t.equal(learned.code, 0, JSON.stringify(learned.findings))
  t.match(learned.of('round trip'), [{ status: 'ok' }])
  const gone = await run({ rules: [{ bucket: 'nowhere', keyring: 'main' }] })
  t.match(gone.of('bucket'), [{ status: 'failed', detail: 'is not there' }])
  const any = [{ bucket: '*', keyring: 'main' }]
  const unnamed = await run({ rules: any })
  t.equal(unnamed.code, 0)
  t.match(unnamed.of('bucket'), [{ status: 'skipped', remedy: /--bucket/ }])
  t.match((await run({ rules: any, args: ['--bucket', 'bucket'] })).of('round trip'), [{ status: 'ok' }])
  const uncovered = await run({ args: ['--bucket', 'far'], upstream: { region: 'learned' } })
  t.match(uncovered.of('bucket')[0], { status: 'failed', detail: /no rule covers it/ })
})

t.test('bucket policies', async (t) => {
  const { run, say, side } = await makeStand(t)
  const policy = async (kind: string) => {
    const { out } = await say(['policy', kind, 's3://bucket'])
    t.equal((await s3(side, 'PUT', '/bucket', { query: { policy: '' }, body: out })).status, 204)
  }
  await policy('require')
  const required = await run()
  t.equal(required.code, 0)
  t.match(required.of('policy'), [{ status: 'ok', detail: /denies uploads without a customer key: \{"Sid"/ }])
  await policy('restrict')
  const restricted = await run()
  t.equal(restricted.code, 1)
  t.match(restricted.of('policy'), [{ status: 'warning', detail: /denies uploads with a customer key/ }])
  t.match(restricted.of('round trip')[0], { status: 'failed', remedy: /findings about encryption, policy/ })
})

t.test('questions that these credentials may not ask, or the store does not know', async (t) => {
  const { run, origin } = await makeStand(t)
  for (const [status, code, encryption, policy] of [
    [403, 'AccessDenied', 'note', 'skipped'],
    [501, 'NotImplemented', 'skipped', 'skipped'],
  ] as const) {
    origin.faults.intercept = ({ target }) =>
      /\?(?:encryption|policy)/.test(target)
        ? { type: 'answer', status, body: `<Error><Code>${code}</Code></Error>` }
        : { type: 'proceed' }
    const { code: exit, of } = await run()
    t.equal(exit, 0)
    t.match(of('encryption'), [{ status: encryption }])
    t.match(of('policy'), [{ status: policy }])
  }
})

t.test('an object that may not be deleted, or read, is told', async (t) => {
  const { run, origin } = await makeStand(t)
  const deny = (wanted: string): void => {
    origin.faults.intercept = ({ method, target }) =>
      method === wanted && target.includes('probe')
        ? { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
        : { type: 'proceed' }
  }
  deny('DELETE')
  const kept = await run({ rules: [{ bucket: 'bucket', keyring: 'main' }] })
  t.equal(kept.code, 0)
  t.match(kept.of('round trip'), [{ status: 'ok' }, { status: 'warning', detail: /could not be deleted/ }])
  t.equal(leftOver(origin.objects('bucket')).length, 1)
  deny('GET')
  const unread = await run({ rules: [{ bucket: 'bucket', keyring: 'main' }] })
  t.equal(unread.code, 1)
  t.match(unread.of('round trip')[0], { status: 'failed', remedy: 'the credentials need s3:GetObject' })
})

t.test('a bucket with versions has none of them afterwards', async (t) => {
  const { run, origin } = await makeStand(t)
  origin.setVersioning('bucket', 'Enabled')
  t.equal((await run()).code, 0)
  t.equal(origin.objects('bucket').length, 0)
})

t.test('files: modes, a keyring that was changed, a certificate that has expired', async (t) => {
  const { run, keyring, folder, config } = await makeStand(t)
  await run()
  chmodSync(keyring, 0o644)
  chmodSync(join(folder, 'secret'), 0o640)
  chmodSync(config, 0o666)
  const open = await run()
  t.equal(open.code, 0)
  t.match(open.of('file', keyring), [
    { status: 'warning', detail: /everybody.*may read it/, remedy: `chmod 600 ${keyring}` },
  ])
  t.match(open.of('file', join(folder, 'secret')), [{ status: 'note', detail: /its group may read it/ }])
  t.match(open.of('file', config), [{ status: 'warning', detail: /everybody.*may change it/ }])
  const expired = issueCertificate(makeAuthority({}), { hosts: ['localhost'], now: new Date('2020-01-01'), days: 30 })
  writeFileSync(join(folder, 'proxy.crt'), expired.cert)
  writeFileSync(join(folder, 'proxy.key'), expired.key)
  const old = await run()
  t.equal(old.code, 1)
  t.match(old.of('certificate'), [{ status: 'failed', detail: /expired on 2020/ }])
  writeFileSync(
    keyring,
    readFileSync(keyring, 'utf8').replace(/"check": *"(.)/, (_, digit) => `"check": "${digit === '0' ? '1' : '0'}`),
  )
  const changed = await run()
  t.equal(changed.code, 1)
  t.match(changed.of('keyring'), [{ status: 'failed' }])
  t.same(changed.of('tls'), [], 'without keys nothing is asked of the upstream')
})

t.test('a configuration with problems: each of them, and nothing else', async (t) => {
  const { say, config, configure } = await makeStand(t)
  configure({})
  writeFileSync(config, readFileSync(config, 'utf8').replace('https://localhost', 'http://localhost'))
  const { code, out } = await say(['doctor', '--config', config])
  t.equal(code, 1)
  t.match(out, /^FAILED {3}configuration .*upstream\.endpoint: must start with https:\/\/.*plain http never/m)
  t.match(out, /1 findings: 1 failed/)
})

t.test('MD5s as ETags: looked at where a rule says so', async (t) => {
  const { run, origin } = await makeStand(t)
  t.same((await run()).of('md5'), [], 'and only there')
  const rules = [{ bucket: 'bucket', keyring: 'main', etag: 'md5' }]
  t.match((await run({ rules })).of('md5'), [{ subject: 'bucket', status: 'ok' }])
  origin.faults.ignoreChecksums = true
  const { code, of } = await run({ rules })
  t.equal(code, 1)
  t.match(of('md5'), [{ status: 'failed', detail: /answered without x-amz-checksum-md5/, remedy: /etag: opaque/ }])
  t.equal(origin.objects().length, 0, 'nothing is left behind')
})
