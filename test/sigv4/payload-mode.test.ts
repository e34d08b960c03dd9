import t from 'tap'
import { parsePayloadMode } from '../../src/sigv4/payload-mode.js'
import type { Authorization } from '../../src/sigv4/types.js'
import { codeOf, errorOf, examples, scope } from './examples.js'

const header = (payloadHash: string): Authorization => ({
  type: 'header',
  scope,
  signedHeaders: ['host'],
  signature: '',
  timestamp: examples.timestamp,
  expires: Infinity,
  payloadHash,
})
const presigned = (payloadHash: string): Authorization => ({
  ...(header(payloadHash) as Exclude<Authorization, { type: 'none' }>),
  type: 'presigned',
})
const none: Authorization = { type: 'none' }
const fields = (entries: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(entries))
const sized = fields({ 'x-amz-decoded-content-length': '5' })
const sizedWithTrailer = fields({
  'x-amz-decoded-content-length': '5',
  'x-amz-trailer': ' X-Amz-Checksum-CRC32 ',
})
const trailers = ['x-amz-checksum-crc32']
const sha = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'

t.test('every mode', (t) => {
  t.same(parsePayloadMode(fields({}), header(sha)), { type: 'hashed', sha256: sha })
  t.same(parsePayloadMode(fields({}), header('UNSIGNED-PAYLOAD')), { type: 'unsigned' })
  t.same(parsePayloadMode(sized, header(SIGNED)), { type: 'streaming-signed', decodedLength: 5 })
  t.same(parsePayloadMode(sizedWithTrailer, header(`${SIGNED}-TRAILER`)), {
    type: 'streaming-signed-trailer',
    decodedLength: 5,
    trailers,
  })
  t.same(parsePayloadMode(sizedWithTrailer, header('STREAMING-UNSIGNED-PAYLOAD-TRAILER')), {
    type: 'streaming-unsigned-trailer',
    decodedLength: 5,
    trailers,
  })
  t.end()
})

t.test('S3 takes unsigned chunks without any trailer', (t) => {
  t.same(parsePayloadMode(sized, header('STREAMING-UNSIGNED-PAYLOAD-TRAILER')), {
    type: 'streaming-unsigned-trailer',
    decodedLength: 5,
    trailers: [],
  })
  t.end()
})

t.test('without a signature, the header alone says it', (t) => {
  t.same(parsePayloadMode(fields({}), none), { type: 'unsigned' })
  t.same(parsePayloadMode(fields({ 'x-amz-content-sha256': sha }), none), { type: 'hashed', sha256: sha })
  const streaming = new Map(sizedWithTrailer).set('x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER')
  t.match(parsePayloadMode(streaming, none), { type: 'streaming-unsigned-trailer', trailers })
  t.end()
})

t.test('what was signed counts, not what the header says now', (t) => {
  t.same(parsePayloadMode(fields({ 'x-amz-content-sha256': sha }), presigned('UNSIGNED-PAYLOAD')), { type: 'unsigned' })
  t.end()
})

t.test('chunk signatures need a signature in the header', (t) => {
  for (const value of [SIGNED, `${SIGNED}-TRAILER`]) {
    const base = value === SIGNED ? sized : sizedWithTrailer
    t.equal(
      codeOf(() => parsePayloadMode(new Map(base).set('x-amz-content-sha256', value), none)),
      'InvalidRequest',
    )
    t.equal(
      codeOf(() => parsePayloadMode(base, presigned(value))),
      'InvalidRequest',
    )
  }
  t.end()
})

t.test('SigV4A is not implemented', (t) => {
  for (const value of [
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
  ]) {
    t.equal(
      codeOf(() => parsePayloadMode(sizedWithTrailer, header(value))),
      'NotImplemented',
    )
  }
  t.end()
})

t.test('any other value is refused by name', (t) => {
  for (const value of ['', sha.slice(1), `${sha}0`, `${sha.slice(1)}g`, 'unsigned-payload', 'STREAMING-PAYLOAD', ' ']) {
    t.match(
      errorOf(() => parsePayloadMode(sized, header(value))),
      { code: 'InvalidArgument', extra: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value } },
      value,
    )
  }
  t.end()
})

t.test('the decoded length must be told, as a number', (t) => {
  for (const value of [SIGNED, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER']) {
    t.equal(
      codeOf(() => parsePayloadMode(fields({}), header(value))),
      'MissingContentLength',
    )
    for (const length of ['', '-1', '1.5', '0x10', '1e3', '5,5', ' 5', '9007199254740993', '99999999999999999999']) {
      t.equal(
        codeOf(() => parsePayloadMode(fields({ 'x-amz-decoded-content-length': length }), header(value))),
        'InvalidArgument',
        length,
      )
    }
  }
  const huge = fields({ 'x-amz-decoded-content-length': '5368709120' })
  t.match(parsePayloadMode(huge, header(SIGNED)), { decodedLength: 5_368_709_120 })
  t.end()
})

t.test('trailers: one checksum, and only where the mode has one', (t) => {
  const code = (trailer: string, value: string): string =>
    codeOf(() => parsePayloadMode(new Map(sized).set('x-amz-trailer', trailer), header(value)))
  for (const trailer of ['x-amz-meta-a', 'content-length', 'x-amz-checksum-', 'x-amz-checksum-a b', 'a\r\nb']) {
    t.equal(code(trailer, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'), 'InvalidRequest', trailer)
  }
  t.equal(code('x-amz-checksum-crc32,x-amz-checksum-sha1', `${SIGNED}-TRAILER`), 'InvalidRequest')
  for (const value of [SIGNED, sha, 'UNSIGNED-PAYLOAD'])
    t.equal(code('x-amz-checksum-crc32', value), 'MalformedTrailerError')
  t.equal(code('', `${SIGNED}-TRAILER`), 'MalformedTrailerError')
  t.equal(
    codeOf(() => parsePayloadMode(sized, header(`${SIGNED}-TRAILER`))),
    'MalformedTrailerError',
  )
  t.end()
})
