import fc from 'fast-check'
import t from 'tap'
import { storedContentEncoding, stripRequestFields, stripResponseFields } from '../../src/proxy/rewrite-headers.js'

const stripped = (fields: Record<string, string>) =>
  Object.fromEntries(stripRequestFields(new Map(Object.entries(fields))))

t.test('what the Connection header lists goes with it, in any case and spacing', async (t) => {
  t.same(
    stripped({ connection: 'close, X-Amz-Meta-A ,\tx-hop,,', 'x-amz-meta-a': '1', 'x-hop': '2', 'x-amz-meta-b': '3' }),
    { 'x-amz-meta-b': '3' },
  )
})

t.test('nothing of one connection, of the client’s signature or of other proxies travels on', async (t) => {
  const gone = [
    'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer',
    'transfer-encoding', 'upgrade', 'http2-settings', 'expect', 'authorization', 'content-length', 'date', 'host',
    'x-amz-content-sha256', 'x-amz-copy-source', 'x-amz-date', 'x-amz-decoded-content-length', 'x-amz-security-token',
    'x-amz-trailer', 'forwarded', 'via', 'cookie', 'x-real-ip', 'x-amz-te', 'x-forwarded-for', 'x-forwarded-host',
    'amz-sdk-request', 'amz-sdk-invocation-id', 'accept-encoding',
  ] // prettier-ignore
  t.same(stripped(Object.fromEntries(gone.map((name) => [name, 'x']))), {})
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
    const once = stripRequestFields(fields)
    t.strictSame([...fields], before)
    t.strictSame([...stripRequestFields(once)], [...once])
  })
  fc.assert(property, { numRuns: 100 })
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
  t.same(Object.fromEntries(stripResponseFields(answer)), { date: 'today', etag: '"x"', 'content-length': '5' })
})

t.test('aws-chunked is never stored, other codings are, in their order', async (t) => {
  t.equal(storedContentEncoding('aws-chunked'), 'none')
  t.equal(storedContentEncoding(' AWS-Chunked ,'), 'none')
  t.equal(storedContentEncoding('aws-chunked,gzip'), 'gzip')
  t.equal(storedContentEncoding('br, aws-chunked, gzip'), 'br,gzip')
  t.equal(storedContentEncoding('x-aws-chunked'), 'x-aws-chunked')
})
