import fc from 'fast-check'
import t from 'tap'
import { fieldLines } from '../../src/s3/fields.js'
import { parse } from '../../src/proxy/parse.js'
import { S3Error } from '../../src/s3/error.js'

const head = (url: string, ...rawHeaders: string[]) => ({ method: 'PUT', url, fieldLines: fieldLines(rawHeaders) })

function refusal(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    return error instanceof S3Error ? error.code : String(error)
  }
}

t.test('the raw target is kept as it was signed; the query is decoded beside it', async (t) => {
  const parsed = parse(
    head('/b/a%2Fb//../c?prefix=a%2Fb&x', 'Host', 's3.test', 'X-Amz-Meta-A', '1', 'x-amz-meta-a', '2'),
  )
  t.equal(parsed.rawPath, '/b/a%2Fb//../c')
  t.equal(parsed.rawQuery, 'prefix=a%2Fb&x')
  t.same([...parsed.query], [['prefix', 'a/b'], ['x', '']]) // prettier-ignore
  t.equal(parsed.fields.get('x-amz-meta-a'), '1,2', 'repeated fields are one, in their order')
  t.equal(parsed.host, 's3.test')
  t.equal(parse({ fieldLines: fieldLines([]), url: '/' }).method, '')
})

t.test('two of what decides who asks for what are refused, in any case', async (t) => {
  for (const name of [
    'Authorization', 'content-length', 'Content-MD5', 'HOST', 'x-amz-content-sha256', 'X-Amz-Copy-Source', 'x-amz-date',
    'x-amz-decoded-content-length', 'transfer-encoding',
  ]) {
    t.equal(refusal(() => parse(head('/', name, '1', name.toUpperCase(), '1'))), 'InvalidArgument', name)
  } // prettier-ignore
})

t.test('Connection takes out nothing that S3 reads, and that was verified', async (t) => {
  for (const name of [
    'Content-MD5', 'content-type', 'If-None-Match', 'if-match', 'X-Amz-Meta-A', 'x-amz-acl', 'x-amz-checksum-sha256', 'Range',
    'Cache-Control', 'expires', 'Host', 'date', 'authorization', 'x-amz-server-side-encryption-customer-key',
  ]) {
    for (const listed of [name, `close, ${name.toUpperCase()}`, `keep-alive ,\t${name.toLowerCase()} ,`]) {
      t.equal(refusal(() => parse(head('/', name, '1', 'connection', listed))), 'InvalidArgument', listed)
      t.equal(refusal(() => parse(head('/', name, '1', 'Connection', 'close', 'CONNECTION', listed))), 'InvalidArgument')
    }
    t.equal(refusal(() => parse(head('/', 'connection', name))), 'none', 'what is not there cannot be taken out')
  } // prettier-ignore
  for (const listed of ['close', 'TE, X-Custom, close', 'upgrade, http2-settings', ''])
    t.equal(
      refusal(() => parse(head('/', 'connection', listed, 'te', 'trailers', 'x-custom', '1', 'content-type', 'a/b'))),
      'none',
      listed,
    )
})

t.test('the length of the body', async (t) => {
  t.equal(parse(head('/')).length, 0)
  t.equal(parse(head('/', 'content-length', '0')).length, 0)
  t.equal(parse(head('/', 'content-length', '5368709120')).length, 5368709120)
  t.equal(parse(head('/', 'transfer-encoding', ' Chunked')).length, 'chunked')
  for (const length of ['', '-1', '1e3', '0x10', '1,1', '9'.repeat(16), '５']) {
    t.equal(
      refusal(() => parse(head('/', 'content-length', length))),
      'InvalidArgument',
      length,
    )
  }
  t.equal(
    refusal(() => parse(head('/', 'transfer-encoding', 'gzip, chunked'))),
    'NotImplemented',
  )
})

t.test('targets that two readers could read in two ways', async (t) => {
  for (const url of ['*', '', 'b/k', '/b/k#x', 'ftp://h/b'])
    t.equal(
      refusal(() => parse(head(url))),
      'InvalidURI',
      url,
    )
  t.equal(parse(head('https://elsewhere/b/k?acl', 'host', 's3.test')).rawPath, '/b/k', 'the host is the signed one')
  t.equal(
    refusal(() => parse(head('/b?versionId=1&versionId=2'))),
    'InvalidArgument',
  )
  t.equal(
    refusal(() => parse(head('/b?versionId=1&version%49d=2'))),
    'InvalidArgument',
  )
  t.equal(
    refusal(() => parse(head('/b?a=%zz'))),
    'InvalidURI',
  )
})

t.test('repeated fields are joined in their order, or refused by the first that may not be', async () => {
  const once = ['host', 'x-amz-date', 'content-length']
  const name = fc.constantFrom(
    'Host',
    'host',
    'X-Amz-Date',
    'x-amz-DATE',
    'content-length',
    'Accept',
    'accept',
    'x-a',
    'X-A',
  )
  const property = fc.property(fc.array(fc.tuple(name, fc.constantFrom('', '1', '2')), { maxLength: 6 }), (pairs) => {
    const lower = pairs.map(([name, value]) => [name.toLowerCase(), value] as const)
    const repeated = lower.find(([name], i) => once.includes(name) && lower.findIndex(([other]) => other === name) < i)
    const message = `The header ${repeated?.[0]} occurs more than once. Send it once.`
    const length = lower.find(([name]) => name === 'content-length')?.[1]
    try {
      const { fields } = parse(head('/', ...pairs.flat()))
      const names = [...new Set(lower.map(([name]) => name))]
      const expected = names.map((name) => [
        name,
        lower.flatMap(([other, value]) => (other === name ? [value] : [])).join(),
      ])
      return repeated === undefined && JSON.stringify([...fields]) === JSON.stringify(expected)
    } catch (error) {
      if (!(error instanceof S3Error)) throw error
      return repeated === undefined ? length === '' : error.message === message
    }
  })
  fc.assert(property, { numRuns: 2000 })
})
