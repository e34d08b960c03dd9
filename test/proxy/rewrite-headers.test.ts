import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { keptFromClient, storedContentEncoding, stripRequestFields } from '../../src/proxy/rewrite-headers.js'

const GONE = [
  'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'http2-settings', 'expect', 'authorization', 'content-length', 'date', 'host',
  'x-amz-content-sha256', 'x-amz-copy-source', 'x-amz-date', 'x-amz-decoded-content-length', 'x-amz-security-token',
  'x-amz-trailer', 'forwarded', 'via', 'cookie', 'x-real-ip', 'x-amz-te', 'x-forwarded-for', 'x-forwarded-host',
  'amz-sdk-request', 'amz-sdk-invocation-id', 'accept-encoding',
] // prettier-ignore
const CUSTOMER_PREFIX = 'x-amz-server-side-encryption-customer-'
const CUSTOMER = /^x-amz-(?:copy-source-)?server-side-encryption-customer-/

const stripped = (fields: Record<string, string>, encryption: 'keep' | 'drop' = 'keep') =>
  Object.fromEntries(stripRequestFields(new Map(Object.entries(fields)), encryption))

/** What of an answer travels on. */
function shown(fields: ReadonlyMap<string, string>, showsKeyMD5: boolean) {
  const isKept = keptFromClient(fields, showsKeyMD5)
  return Object.fromEntries([...fields].filter(([name]) => !isKept(name)))
}

t.test('what the Connection header lists goes with it, in any case and spacing', async (t) => {
  t.same(
    stripped({ connection: 'close, X-Amz-Meta-A ,\tx-hop,,', 'x-amz-meta-a': '1', 'x-hop': '2', 'x-amz-meta-b': '3' }),
    { 'x-amz-meta-b': '3' },
  )
})

t.test('nothing of one connection, of the client’s signature or of other proxies travels on', async (t) => {
  t.same(stripped(Object.fromEntries(GONE.map((name) => [name, 'x']))), {})
})

t.test('a client cannot keep a customer key in, and beside one no wish for another encryption', async (t) => {
  const wishes = {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'id',
    'x-amz-server-side-encryption-customers': 'no part of a key',
  }
  const keys = {
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-server-side-encryption-customer-key': 'k',
    'x-amz-server-side-encryption-customer-key-md5': 'm',
    'x-amz-server-side-encryption-customer-': '',
    'x-amz-server-side-encryption-customer-anything': '',
    'x-amz-copy-source-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-copy-source-server-side-encryption-customer-key': 'k',
    'x-amz-copy-source-server-side-encryption-customer-key-md5': 'm',
  }
  t.same(stripped({ ...wishes, ...keys, 'x-amz-meta-a': '1' }), { ...wishes, 'x-amz-meta-a': '1' })
  t.same(stripped({ ...wishes, ...keys, 'x-amz-meta-a': '1' }, 'drop'), { 'x-amz-meta-a': '1' })
})

t.test('an answer shows the key to nobody, and its MD5 to who sent the key', async (t) => {
  const md5s = {
    'x-amz-server-side-encryption-customer-key-md5': 'm',
    'x-amz-copy-source-server-side-encryption-customer-key-md5': 'n',
  }
  const answer = new Map(
    Object.entries({
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key': 'k',
      'x-amz-copy-source-server-side-encryption-customer-key': 'k',
      ...md5s,
    }),
  )
  const algorithm = { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }
  t.same(shown(answer, false), algorithm)
  t.same(shown(answer, true), { ...algorithm, ...md5s })
})

t.test('what speaks of the object stays', async (t) => {
  const kept = {
    'content-type': 'text/plain',
    'content-encoding': 'gzip',
    'content-md5': 'x',
    'cache-control': 'no-store',
    'if-match': '"x"',
    range: 'bytes=0-1',
    'x-amz-meta-via': 'y',
    'x-amz-acl': 'private',
    'x-amz-checksum-crc32': 'z',
  }
  t.same(stripped(kept), kept)
})

t.test('the fields that came are not changed, and stripping twice strips no more', async (t) => {
  const name = fc.constantFrom('connection', 'host', 'x-a', 'x-b', 'te', 'range', 'x-forwarded-for')
  const value = fc.constantFrom('x-a', 'x-b, range', 'host', 'close')
  const property = fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
    const fields = new Map(pairs)
    const before = [...fields]
    const once = stripRequestFields(fields, 'keep')
    t.strictSame([...fields], before)
    t.strictSame([...stripRequestFields(once, 'keep')], [...once])
  })
  fc.assert(property, { numRuns: 100 })
})

t.test('a header that would be taken for the prototype of a record goes no further', async (t) => {
  t.strictSame(
    [
      ...stripRequestFields(
        new Map([
          ['__proto__', 'x'],
          ['x-a', '1'],
        ]),
        'keep',
      ),
    ],
    [['x-a', '1']],
  )
})

t.test('answers lose what speaks of the connection to the upstream', async (t) => {
  const answer = new Map([
    ['connection', 'keep-alive, x-upstream'],
    ['keep-alive', 'timeout=5'],
    ['x-upstream', '1'],
    ['transfer-encoding', 'chunked'],
    ['date', 'today'],
    ['etag', '"x"'],
    ['content-length', '5'],
  ])
  t.same(shown(answer, false), { date: 'today', etag: '"x"', 'content-length': '5' })
})

t.test('aws-chunked is never stored, other codings are, in their order', async (t) => {
  t.equal(storedContentEncoding('aws-chunked'), 'none')
  t.equal(storedContentEncoding(' AWS-Chunked ,'), 'none')
  t.equal(storedContentEncoding('aws-chunked,gzip'), 'gzip')
  t.equal(storedContentEncoding('br, aws-chunked, gzip'), 'br,gzip')
  t.equal(storedContentEncoding('x-aws-chunked'), 'x-aws-chunked')
})

t.test('agrees with taking out one kind of field after the other', async () => {
  const plainly = (fields: ReadonlyMap<string, string>, encryption: 'keep' | 'drop') => {
    const headers = new Map(fields)
    for (const name of (headers.get('connection') ?? '').split(',')) headers.delete(name.trim().toLowerCase())
    for (const name of GONE) headers.delete(name)
    for (const name of headers.keys()) if (/^(?:x-forwarded-|amz-sdk-)/.test(name)) headers.delete(name)
    for (const name of headers.keys()) if (CUSTOMER.test(name)) headers.delete(name)
    if (encryption === 'keep') return headers
    for (const name of headers.keys()) if (name.startsWith('x-amz-server-side-encryption')) headers.delete(name)
    return headers
  }
  const prefix = fc.constantFrom(
    'x-forwarded-',
    'amz-sdk-',
    'x-amz-',
    'x-amz-server-side-encryption',
    CUSTOMER_PREFIX,
    '',
  )
  const name = fc.oneof(
    fc.constantFrom(...GONE, 'close', 'x-hop'),
    fc.tuple(prefix, fc.constantFrom('a', '-b')).map((parts) => parts.join('')),
  )
  const connection = fc.constantFrom('close', 'keep-alive', 'X-Hop, close', ' x-amz-a ,amz-sdk-a', '')
  const pairs = fc.array(fc.tuple(name, fc.constant('1')), { maxLength: 12 })
  const property = fc.property(pairs, fc.option(connection), fc.constantFrom('keep', 'drop'), (some, listed, wish) => {
    const fields = new Map(listed === null ? some : [...some, ['connection', listed] as const])
    return JSON.stringify([...stripRequestFields(fields, wish)]) === JSON.stringify([...plainly(fields, wish)])
  })
  fc.assert(property, { numRuns: runs(3000) })
})
