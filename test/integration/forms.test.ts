import { connect } from 'node:tls'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import {
  encodeForm,
  fieldParts,
  filePart,
  formType,
  v2Form,
  v4Form,
  type FormPart,
  type SignedForm,
} from '../support/post-form.js'
import { CLIENT, READER, encryptedRule, startTestProxy } from '../support/proxy-in-process.js'
import { pathOf, s3, send, type S3Answer } from '../support/s3-client.js'

// A browser's form goes through the proxy: whoever made the form signed its policy; whoever sends it, and the network between,
// may be hostile. What the policy does not allow, or what is not whole, must leave no object.

const origin = await startTestOrigin()
t.teardown(() => origin.close())
const upstream = {
  port: origin.port,
  ca: testCertificates().authority.cert,
  ...ORIGIN_CREDENTIALS,
  region: 'us-east-1',
}

const stored = () => origin.objects('bucket').map(({ objectKey }) => objectKey)
const nothingStored = (t: Test, what = 'no object') => t.same(stored(), [], what)

type Form = Partial<SignedForm> & {
  readonly rest?: readonly FormPart[]
  readonly spoil?: (fields: Record<string, string>) => Record<string, string>
  readonly version?: 'v2' | 'v4'
}

function form({ rest = [filePart('content')], spoil = (all) => all, version = 'v4', ...given }: Form = {}): Buffer {
  const signed = { credentials: CLIENT, bucket: 'bucket', ...given, fields: { key: 'posted', ...given.fields } }
  return encodeForm([...fieldParts(spoil(version === 'v2' ? v2Form(signed) : v4Form(signed))), ...rest])
}

const post = (port: number, body: Buffer, headers: Record<string, string> = {}, path = '/bucket'): Promise<S3Answer> =>
  send(
    { port },
    { method: 'POST', path, headers: { 'content-type': formType(), 'content-length': body.length, ...headers } },
    body,
  )

const side = (port: number) => ({ port, ...CLIENT })

async function proxyFor(t: Test, more: Parameters<typeof startTestProxy>[1] | object = {}) {
  const proxy = await startTestProxy(t, { upstream, ...more })
  t.teardown(async () => {
    for (const key of stored()) await s3(side(proxy.port), 'DELETE', pathOf('bucket', key))
  })
  return proxy
}

t.test('a form makes an encrypted object, with its metadata, and is answered as it asks', async (t) => {
  const proxy = await proxyFor(t)
  const content = randomBytes(300_000)
  const fields = { 'Content-Type': 'text/x-test', 'x-amz-meta-Name': 'žluť', 'Cache-Control': 'no-store' }
  const answer = await post(proxy.port, form({ fields, rest: [filePart(content)] }))
  t.equal(answer.status, 204, answer.text)
  t.equal(answer.body.length, 0)
  const got = await s3(side(proxy.port), 'GET', '/bucket/posted')
  t.ok(got.body.equals(content), 'the file, byte for byte')
  t.equal(got.headers['content-type'], 'text/x-test')
  t.equal(Buffer.from(String(got.headers['x-amz-meta-name']), 'latin1').toString(), 'žluť')
  t.equal(got.headers['cache-control'], 'no-store')
  t.match(got.headers.etag, /^"[0-9a-f]{32}-0"$/)
  t.equal(answer.headers.etag, got.headers.etag, "the ETag is shown as other answers'")
  t.equal(answer.headers.location, `https://localhost:${proxy.port}/bucket/posted`)
  t.equal(answer.headers['x-amz-server-side-encryption-customer-key-md5'], undefined)
  t.equal(origin.objects('bucket')[0]?.encrypted, true)
  const event = await proxy.lastEvent()
  t.match(
    proxy.events.find(({ operation }) => operation === 'PostObject'),
    {
      identity: 'client',
      bucket: 'bucket',
      objectKey: 'posted',
      keyring: 'main',
      keyVersion: 'v1',
      outcome: 'complete',
    },
  )
  t.ok(event)

  const ok = await post(proxy.port, form({ fields: { success_action_status: '200' } }))
  t.match(ok, { status: 200, text: '' })
  const created = await post(proxy.port, form({ fields: { success_action_status: '201', key: 'a b/ž&<' } }))
  t.equal(created.status, 201)
  t.match(created.text, /<Bucket>bucket<\/Bucket><Key>a b\/ž&amp;&lt;<\/Key><ETag>&quot;[0-9a-f]{32}-0&quot;<\/ETag>/)
  t.match(created.text, `<Location>https://localhost:${proxy.port}/bucket/a%20b%2F%C5%BE%26%3C</Location>`)
  const odd = await post(proxy.port, form({ fields: { success_action_status: '500' } }))
  t.equal(odd.status, 204, 'another status counts as none')
  for (const name of ['success_action_redirect', 'redirect']) {
    const there = await post(
      proxy.port,
      form({ fields: { [name]: 'https://example.com/done?a=b', success_action_status: '201' } }),
    )
    t.equal(there.status, 303)
    t.match(
      there.headers.location,
      /^https:\/\/example\.com\/done\?a=b&bucket=bucket&key=posted&etag=%22[0-9a-f]{32}-0%22$/,
    )
    t.equal(there.body.length, 0)
  }
  const broken = await post(proxy.port, form({ fields: { success_action_redirect: 'javascript:alert(1)' } }))
  t.equal(broken.status, 204, 'what is no web page counts as none')
})

t.test('virtual-hosted style, field names in any case, fields after the file, an empty file', async (t) => {
  const proxy = await proxyFor(t)
  const upper = form({
    spoil: (all) => Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toUpperCase(), value])),
  })
  const answer = await post(proxy.port, upper, { host: `bucket.s3.localhost:${proxy.port}` }, '/')
  t.equal(answer.status, 204, answer.text)
  t.equal(answer.headers.location, `https://bucket.s3.localhost:${proxy.port}/posted`)
  const submit = await post(
    proxy.port,
    form({ rest: [filePart('with a button'), { name: 'submit', value: 'Upload to S3' }] }),
  )
  t.equal(submit.status, 204, submit.text)
  t.equal((await s3(side(proxy.port), 'GET', '/bucket/posted')).text, 'with a button')
  const empty = await post(proxy.port, form({ rest: [filePart('')] }))
  t.equal(empty.status, 204, empty.text)
  t.equal((await s3(side(proxy.port), 'GET', '/bucket/posted')).headers['content-length'], '0')
  const bare = await post(proxy.port, form().subarray(0, -2))
  t.equal(bare.status, 204, 'no line end behind the last boundary')
})

t.test('${filename}', async (t) => {
  const proxy = await proxyFor(t)
  const named = (filename: string) =>
    form({
      fields: { key: 'user/${filename}' },
      uncovered: ['key'],
      conditions: [['starts-with', '$key', 'user/']],
      rest: [filePart('content', filename)],
    })
  const cases: readonly (readonly [string, string])[] = [
    ['a.txt', 'user/a.txt'],
    ['C:\\Users\\me\\b c.txt', 'user/b c.txt'],
    ['../../etc/passwd', 'user/passwd'],
    ['žluťoučký 日本 😀.txt', 'user/žluťoučký 日本 😀.txt'],
    ['q\\"uote.txt', 'user/q"uote.txt'],
    ['$&$1.txt', 'user/$&$1.txt'],
    ['..', 'user/..'],
  ]
  for (const [filename, objectKey] of cases) {
    const answer = await post(proxy.port, named(filename))
    t.equal(answer.status, 204, `${filename}: ${answer.text}`)
    t.equal((await s3(side(proxy.port), 'GET', pathOf('bucket', objectKey))).text, 'content', objectKey)
  }
  const again = await post(proxy.port, named('${filename}'))
  t.match(again, { status: 400, code: 'InvalidArgument' }, 'a name that the store would replace once more')
  for (const filename of ['a\nb', 'a\0b', 'a"\r\nContent-Disposition: form-data; name="file"; filename="b']) {
    t.match(await post(proxy.port, named(filename)), { status: 400, code: 'MalformedPOSTRequest' }, filename)
  }
})

t.test('V2 policies, where the identity may use them', async (t) => {
  const proxy = await proxyFor(t, { signatures: ['v2', 'v4'] })
  const answer = await post(proxy.port, form({ version: 'v2' }))
  t.equal(answer.status, 204, answer.text)
  t.equal((await s3(side(proxy.port), 'GET', '/bucket/posted')).text, 'content')
  const wrong = await post(
    proxy.port,
    form({ version: 'v2', spoil: (all) => ({ ...all, signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }) }),
  )
  t.match(wrong, { status: 403, code: 'SignatureDoesNotMatch' })
  const both = await post(proxy.port, form({ version: 'v2', spoil: (all) => ({ ...all, 'x-amz-signature': '0' }) }))
  t.match(both, { status: 400, code: 'InvalidArgument' })
  const strict = await startTestProxy(t, { upstream })
  t.match(await post(strict.port, form({ version: 'v2' })), { status: 400, code: 'InvalidRequest' })
  const bounded = await proxyFor(t, { signatures: ['v4', 'v2'], presignedV2LifetimeMs: 600_000 })
  const long = await post(bounded.port, form({ version: 'v2', validFor: 660_000 }))
  t.match(long, { status: 403, code: 'AccessDenied' })
  t.match(long.text, 'expiration may be at most 600 seconds from now')
  t.equal((await post(bounded.port, form({ version: 'v2', validFor: 540_000 }))).status, 204)
  t.equal((await post(bounded.port, form({ validFor: 660_000 }))).status, 204, 'version 4 is not bounded by it')
})

t.test('what the policy does not allow, and who may not', async (t) => {
  const proxy = await proxyFor(t)
  const refused = async (what: string, given: Form, status: number, code: string, text: string | RegExp = /./) => {
    const answer = await post(proxy.port, form(given))
    t.match(answer, { status, code }, `${what}: ${answer.text}`)
    t.match(answer.text, text, what)
    nothingStored(t, what)
  }
  const other = { ...CLIENT, secretAccessKey: 'another' }
  const nobody = { accessKeyId: 'AKIANOBODY0000000000', secretAccessKey: 'x' }
  const strip = (name: string) => (all: Record<string, string>) =>
    Object.fromEntries(Object.entries(all).filter(([field]) => field !== name))
  await refused('another secret', { credentials: other }, 403, 'SignatureDoesNotMatch')
  await refused('an unknown key', { credentials: nobody }, 403, 'InvalidAccessKeyId')
  await refused('an identity that may not write', { credentials: READER }, 403, 'AccessDenied')
  await refused(
    'a changed policy',
    { spoil: (all) => ({ ...all, policy: `${all['policy'] ?? ''}AA==` }) },
    403,
    'SignatureDoesNotMatch',
  )
  await refused('expired', { validFor: -1 }, 403, 'AccessDenied', 'Invalid according to Policy: Policy expired.')
  await refused(
    'another key',
    { spoil: (all) => ({ ...all, key: 'other' }) },
    403,
    'AccessDenied',
    'Policy Condition failed: [&quot;eq&quot;, &quot;$key&quot;, &quot;posted&quot;]',
  )
  await refused('another bucket', { bucket: 'other' }, 403, 'AccessDenied', 'Policy Condition failed')
  await refused(
    'an extra field',
    { spoil: (all) => ({ ...all, acl: 'public-read' }) },
    403,
    'AccessDenied',
    'Extra input fields: acl',
  )
  await refused(
    'a condition on a field that is not there',
    { conditions: [['starts-with', '$name', '']] },
    403,
    'AccessDenied',
    'Policy Condition failed',
  )
  await refused('no policy', { spoil: strip('policy') }, 400, 'InvalidArgument', "must contain a field named 'policy'")
  await refused(
    'no signature',
    { spoil: strip('x-amz-signature') },
    400,
    'InvalidArgument',
    "field named 'X-Amz-Signature'",
  )
  await refused('no key', { spoil: strip('key'), uncovered: ['key'] }, 400, 'InvalidArgument', "field named 'key'")
  await refused('no file', { rest: [] }, 400, 'InvalidArgument')
  await refused('no JSON', { document: '{' }, 400, 'InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.')
  await refused(
    'too long',
    { conditions: [['content-length-range', 0, 6]] },
    400,
    'EntityTooLarge',
    '<MaxSizeAllowed>6<',
  )
  await refused(
    'too short',
    { conditions: [['content-length-range', 8, 9]] },
    400,
    'EntityTooSmall',
    '<MinSizeAllowed>8<',
  )
  await refused('a key at whose ends is white space', { fields: { key: ' posted' } }, 400, 'InvalidArgument')
  await refused(
    'a field twice',
    { rest: [{ name: 'KEY', value: 'other' }, filePart('content')] },
    400,
    'InvalidArgument',
    'more than once',
  )
  await refused('an unknown x-amz- field', { fields: { 'x-amz-new': 'a' } }, 501, 'NotImplemented')
  await refused('a line break in metadata', { fields: { 'x-amz-meta-a': 'b\r\nx: y' } }, 400, 'InvalidArgument')
  await refused(
    'too many fields',
    { fields: { 'x-ignore-a': 'a'.repeat(21_000) } },
    400,
    'MaxPostPreDataLengthExceeded',
  )
  await refused(
    'a key of its own',
    { fields: { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' } },
    400,
    'InvalidArgument',
  )
  const exact = await post(proxy.port, form({ conditions: [['content-length-range', 7, 7]] }))
  t.equal(exact.status, 204, exact.text)
})

t.test('the client may wish for no encryption of its own in an encrypted scope', async (t) => {
  const proxy = await proxyFor(t)
  const answer = await post(
    proxy.port,
    form({ fields: { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'k' } }),
  )
  t.equal(answer.status, 204, answer.text)
  t.equal(origin.objects('bucket')[0]?.encrypted, true)
})

t.test('anonymous forms: on loopback where there is somebody, not from web pages', async (t) => {
  const proxy = await proxyFor(t)
  const bare = encodeForm([{ name: 'key', value: 'posted' }, filePart('content')])
  t.match(await post(proxy.port, bare), { status: 403, code: 'AccessDenied' })
  nothingStored(t)
  const headers = { 'content-type': formType(), 'content-length': bare.length }
  const plain = (more: object) =>
    send(
      { port: proxy.plainPort, plain: true },
      { method: 'POST', path: '/bucket', headers: { ...headers, ...more } },
      bare,
    )
  t.match(await plain({ origin: 'https://evil.example' }), { status: 403, code: 'AccessDenied' })
  nothingStored(t)
  const answer = await plain({})
  t.equal(answer.status, 204, answer.text)
  t.equal(answer.headers.location, `http://localhost:${proxy.plainPort}/bucket/posted`)
  t.equal(origin.objects('bucket')[0]?.encrypted, true)
})

t.test('what is no form of the kind that S3 takes', async (t) => {
  const proxy = await proxyFor(t)
  const body = form()
  const lengths = { 'transfer-encoding': 'chunked' }
  const chunked = await send(
    { port: proxy.port },
    { method: 'POST', path: '/bucket', headers: { 'content-type': formType(), ...lengths } },
    body,
  )
  t.match(chunked, { status: 411, code: 'MissingContentLength' })
  for (const type of [
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
    'multipart/form-data; boundary=a; boundary=b',
    'multipart/form-data; boundary="a',
  ]) {
    t.match(await post(proxy.port, body, { 'content-type': type }), { status: 400, code: 'MalformedPOSTRequest' }, type)
  }
  t.match(await post(proxy.port, body, { 'content-type': 'multipart/form-data; boundary=other' }), {
    code: 'MalformedPOSTRequest',
  })
  t.match(await post(proxy.port, Buffer.from('\r\njunk')), { code: 'MalformedPOSTRequest' })
  const signed = await s3(side(proxy.port), 'POST', '/bucket', { headers: { 'content-type': formType() }, body })
  t.match(signed, { status: 400, code: 'InvalidRequest' }, 'signed twice over')
  const withQuery = await post(proxy.port, body, {}, '/bucket?uploads')
  t.not(withQuery.status, 204)
  nothingStored(t)
  const quoted = await post(proxy.port, body, {
    'content-type': 'Multipart/Form-Data;charset=utf-8; boundary="----formboundary7MA4YWxkTrZu0gW"',
  })
  t.equal(quoted.status, 204, quoted.text)
})

t.test('boundaries: beginnings of one in the file, one that begins with it, cuts everywhere', async (t) => {
  const proxy = await proxyFor(t)
  const content = Buffer.from(
    '\r\n--x\r\r\n--bo\r\n--boundX\r\n--bound-\r\n\r\n--boun\r\n--bound \r\n--bound\n--bound--\r\n-',
  )
  const fields = fieldParts(v4Form({ credentials: CLIENT, bucket: 'bucket', fields: { key: 'posted' } }))
  const body = encodeForm([...fields, filePart(content)], 'bound')
  const type = { 'content-type': formType('bound') }
  const answer = await post(proxy.port, body, type)
  t.equal(answer.status, 204, answer.text)
  t.same((await s3(side(proxy.port), 'GET', '/bucket/posted')).body, content)
  const socket = await open(proxy.port)
  socket.setNoDelay(true)
  socket.write(head(proxy.port, body.length, formType('bound')))
  for (const byte of body) {
    socket.write(Buffer.of(byte))
    if (byte === 0x0a || byte === 0x2d) await delay(0)
  }
  t.match(await answered(socket), /^HTTP\/1\.1 204 /, 'byte by byte')
  t.same((await s3(side(proxy.port), 'GET', '/bucket/posted')).body, content)
})

t.test('forms that are cut off leave no object, whoever is gone', async (t) => {
  const proxy = await proxyFor(t)
  const body = form({ rest: [filePart(randomBytes(400_000))] })
  const closing = body.lastIndexOf('\r\n--')
  const refused: readonly (readonly [string, Buffer])[] = [
    ['no last boundary', body.subarray(0, closing)],
    ['half of the last boundary', body.subarray(0, closing + 10)],
    ['the last boundary without its two dashes', body.subarray(0, -4)],
    ['a boundary that opens another part', Buffer.concat([body.subarray(0, -4), Buffer.from('\r\n')])],
    ['nothing of the file', body.subarray(0, body.indexOf('filename="') + 5)],
    ['more behind the file than a button', Buffer.concat([body, Buffer.alloc(70_000, 'x')])],
    ['a second file', form({ rest: [filePart('one'), filePart(Buffer.alloc(70_000))] })],
  ]
  for (const [what, wire] of refused) {
    t.match(await post(proxy.port, wire), { status: 400, code: 'MalformedPOSTRequest' }, what)
    nothingStored(t, what)
  }
  for (const [what, sent] of [
    ['mid-file', body.subarray(0, 200_000)],
    ['all but the last byte', body.subarray(0, -1)],
    ['mid-fields', body.subarray(0, 100)],
  ] as const) {
    const socket = await open(proxy.port)
    socket.write(Buffer.concat([head(proxy.port, body.length), sent]))
    await delay(150)
    socket.destroy()
    await proxy.lastEvent()
    nothingStored(t, `the client is gone ${what}`)
  }
  origin.faults.intercept = () => ({ type: 'destroy' })
  t.match(await post(proxy.port, body), { status: 503, code: 'ServiceUnavailable' }, 'the upstream is gone')
  origin.faults.intercept = () => ({ type: 'destroy', afterBody: true })
  t.match(await post(proxy.port, body), { status: 503, code: 'ServiceUnavailable' }, 'the upstream is gone at the end')
  origin.faults.intercept = () => ({ type: 'proceed' })
  nothingStored(t)
})

t.test('an upstream that ignores or misreports the customer key: an error, and no object', async (t) => {
  const proxy = await proxyFor(t)
  origin.faults.ignoreCustomerKeys = true
  const answer = await post(proxy.port, form({ fields: { success_action_redirect: 'https://example.com/' } }))
  t.match(answer, { status: 500, code: 'InternalError' })
  nothingStored(t, 'what was stored in the clear is removed')
  origin.faults.ignoreCustomerKeys = false
  for (const proof of ['none', 'other-md5', 'algorithm-only'] as const) {
    origin.faults.proof = proof
    t.match(await post(proxy.port, form()), { status: 500, code: 'InternalError' }, proof)
    nothingStored(t, proof)
  }
  origin.faults.proof = 'honest'
})

t.test('where answers prove nothing, the object is read back (MinIO)', async (t) => {
  const proxy = await proxyFor(t, { overrides: { proof: 'read-back' } })
  origin.faults.intercept = () => ({ type: 'proceed' })
  const answer = await post(proxy.port, form({ fields: { success_action_status: '201' } }))
  t.equal(answer.status, 201, answer.text)
  t.match(answer.text, '<PostResponse>')
  origin.faults.ignoreCustomerKeys = true
  t.match(await post(proxy.port, form({ fields: { key: 'clear' } })), { status: 500, code: 'InternalError' })
  origin.faults.ignoreCustomerKeys = false
  t.same(stored(), ['posted'])
})

t.test("what the upstream gets: our policy, our credentials, and the client's secrets nowhere", async (t) => {
  const proxy = await proxyFor(t)
  const seen: string[] = []
  origin.faults.intercept = (request) => {
    seen.push(`${request.method} ${request.target} ${request.rawHeaders.join('|')}`)
    return { type: 'proceed' }
  }
  const answer = await post(proxy.port, form(), {
    'x-amz-acl': 'public-read',
    cookie: 'a=b',
    origin: 'https://page.example',
  })
  origin.faults.intercept = () => ({ type: 'proceed' })
  t.equal(answer.status, 204, answer.text)
  t.match(seen[0], /^POST \/bucket /)
  t.notMatch(
    seen[0],
    'x-amz-',
    'nothing of the kind is in the head: neither our key nor what a stranger may have put there',
  )
  t.notMatch(seen[0], 'a=b')
  t.match(seen[0], 'https://page.example', 'the store decides on CORS')
  t.notMatch(proxy.logged(), /customer-key":|x-amz-signature/)
})

t.test("CORS headers of the upstream's answer pass", async (t) => {
  const proxy = await proxyFor(t)
  origin.faults.intercept = (request) =>
    request.method !== 'POST'
      ? { type: 'proceed' }
      : {
          type: 'answer',
          status: 403,
          afterBody: true,
          headers: { 'access-control-allow-origin': 'https://page.example' },
          body: '<Error><Code>NoSuchBucket</Code></Error>',
        }
  const answer = await post(proxy.port, form(), { origin: 'https://page.example' })
  origin.faults.intercept = () => ({ type: 'proceed' })
  t.equal(answer.headers['access-control-allow-origin'], 'https://page.example')
})

t.test('a plain scope stores plain, and a client may bring its key where the rule says relay', async (t) => {
  const key = randomBytes(32)
  const { keyHeaders, customerKey } = await import('../contract/case.js')
  const fields = keyHeaders(customerKey(key))
  const proxy = await proxyFor(t, { rules: [encryptedRule('bucket', 'main', { clientKeys: 'relay' })] })
  const answer = await post(proxy.port, form({ fields }))
  t.equal(answer.status, 204, answer.text)
  const got = await s3(side(proxy.port), 'GET', '/bucket/posted', { headers: fields })
  t.equal(got.text, 'content')
  const other = form({ fields, spoil: (all) => ({ ...all, ...keyHeaders(customerKey(randomBytes(32))) }) })
  const refused = await post(proxy.port, other)
  t.match(refused, { status: 403, code: 'AccessDenied' }, 'the policy names the key')
  t.notMatch(refused.text, key.toString('base64'))
  t.match((await proxy.lastEvent())?.reason, 'customer-')
  t.notMatch(JSON.stringify(proxy.events), key.toString('base64'))
  t.notMatch(proxy.logged(), key.toString('base64'))
  const plain = await proxyFor(t, {
    rules: [{ bucket: 'bucket', prefix: '', keys: { type: 'plain', clientKeys: 'reject' }, etag: 'passthrough' }],
  })
  t.equal((await post(plain.port, form())).status, 204)
  t.equal(origin.objects('bucket')[0]?.encrypted, false)
})

async function open(port: number) {
  const socket = connect({ host: 'localhost', port, ca: testCertificates().authority.cert, servername: 'localhost' })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()))
  return socket
}

const head = (port: number, length: number, type = formType()): Buffer =>
  Buffer.from(
    `POST /bucket HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`,
  )

function answered(socket: Awaited<ReturnType<typeof open>>): Promise<string> {
  return new Promise((resolve) =>
    socket.once('data', (data: Buffer) => {
      socket.destroy()
      resolve(data.toString())
    }),
  )
}
