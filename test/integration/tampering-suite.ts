import { Readable } from 'node:stream'
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Test } from 'tap'
import type { RuleConfig } from '../../src/config/types.js'
import { SecretAccessKey, type VerifiedSignature } from '../../src/sigv4/types.js'
import { signingKeyOf } from '../../src/sigv4/signing-key.js'
import { signedChunks, unsignedChunks } from '../support/aws-chunked.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { CLIENT, encryptedRule, startTestProxy } from '../support/proxy-in-process.js'
import { s3, send, signedCall, type S3Side } from '../support/s3-client.js'

// The attacker sits between the client and the proxy, or the client's own network is bad: bytes change, stop halfway,
// or are more or fewer than was said. In every payload mode the client must hear of it, and no object may be left.

const BODY = randomBytes(200_000)
const PATH = '/bucket/tampered'

const flip = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  // A hex digit stays one: what is wrong with a signature must be its value, not its form.
  copy[at] = copy[at] === 0x61 || copy[at] === 0x66 ? 0x30 : copy[at]! ^ 1
  return copy
}

/** Signs the head of a streaming upload and gives what its chunks need. */
function streamingHead(side: S3Side, mode: string, decodedLength: number, extra: Record<string, string> = {}) {
  const signed = signedCall(side, 'PUT', PATH, {
    headers: {
      'x-amz-content-sha256': mode,
      'x-amz-decoded-content-length': String(decodedLength),
      'content-encoding': 'aws-chunked',
      ...extra,
    },
  })
  const authorization = signed.headers.authorization!
  const timestamp = signed.headers['x-amz-date']!
  const scope = { accessKeyId: side.accessKeyId, date: timestamp.slice(0, 8), region: 'us-east-1', service: 's3' }
  const verified: VerifiedSignature = {
    scope,
    timestamp,
    signature: /Signature=([0-9a-f]+)/.exec(authorization)![1]!,
    signingKey: signingKeyOf(new SecretAccessKey(side.secretAccessKey), scope),
  }
  return { signed, verified }
}

function upload(side: S3Side, head: ReturnType<typeof streamingHead>, wire: Buffer, chunked = false) {
  const length = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(wire.length) }
  const body = chunked ? Readable.from([wire]) : wire
  return send(side, { method: 'PUT', path: head.signed.path, headers: { ...head.signed.headers, ...length } }, body)
}

function crc32base64(bytes: Buffer): string {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(bytes))
  return value.toString('base64')
}

/** What must hold however ETags are shown: with `md5` the proxy checks what S3 checks otherwise. */
export async function tamperingSuite(t: Test, etag: RuleConfig['etag']): Promise<void> {
  const origin = await startTestOrigin()
  const rules = [{ ...encryptedRule('bucket', 'main'), etag }]
  t.teardown(() => origin.close())
  const upstream = {
    port: origin.port,
    ca: testCertificates().authority.cert,
    ...ORIGIN_CREDENTIALS,
    region: 'us-east-1',
  }
  const nothingStored = (t: Test) =>
    t.same(
      origin.objects('bucket').map(({ objectKey }) => objectKey),
      [],
      'no object',
    )

  async function sides(t: Test): Promise<S3Side> {
    const proxy = await startTestProxy(t, { upstream, rules })
    return { port: proxy.port, ...CLIENT }
  }

  t.test('hashed: a changed byte is found', async (t) => {
    const side = await sides(t)
    const answer = await s3(side, 'PUT', PATH, { body: BODY, wire: flip(BODY, 1000) })
    t.equal(answer.status, 400)
    t.equal(answer.code, 'XAmzContentSHA256Mismatch')
    nothingStored(t)
  })

  t.test('a header or the path changed on the way', async (t) => {
    const side = await sides(t)
    const changed = await s3(side, 'PUT', PATH, {
      body: 'x',
      headers: { 'x-amz-meta-a': 'b' },
      tamper: (headers) => (headers['x-amz-meta-a'] = 'c'),
    })
    t.equal(changed.code, 'SignatureDoesNotMatch')
    const added = await s3(side, 'PUT', PATH, {
      body: 'x',
      tamper: (headers) => (headers['x-amz-acl'] = 'public-read'),
    })
    t.equal(added.code, 'AccessDenied', 'an x-amz- header that was not signed')
    const signed = signedCall(side, 'PUT', PATH, { body: 'x' })
    const moved = await send(
      side,
      { method: 'PUT', path: '/bucket/elsewhere', headers: { ...signed.headers, 'content-length': 1 } },
      Buffer.from('x'),
    )
    t.equal(moved.code, 'SignatureDoesNotMatch')
    nothingStored(t)
  })

  t.test('a body that stops halfway, in every mode', async (t) => {
    const side = await sides(t)
    const trailer = { name: 'x-amz-checksum-crc32', value: crc32base64(BODY) }
    const cases: [string, Record<string, string>, Buffer][] = []
    cases.push(['hashed', signedCall(side, 'PUT', PATH, { body: BODY }).headers, BODY])
    cases.push([
      'unsigned',
      signedCall(side, 'PUT', PATH, { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }).headers,
      BODY,
    ])
    const chunks = streamingHead(side, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', BODY.length)
    cases.push([
      'signed chunks',
      chunks.signed.headers,
      signedChunks({ body: BODY, chunkSize: 65536, verified: chunks.verified }),
    ])
    const unsigned = streamingHead(side, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', BODY.length, {
      'x-amz-trailer': trailer.name,
    })
    cases.push(['unsigned trailer', unsigned.signed.headers, unsignedChunks({ body: BODY, chunkSize: 65536, trailer })])
    for (const [name, headers, wire] of cases) {
      const cut = wire.subarray(0, Math.floor(wire.length / 2))
      await t.rejects(
        send(
          side,
          { method: 'PUT', path: PATH, headers: { ...headers, 'content-length': String(wire.length) } },
          Readable.from([cut]),
          (request) => setTimeout(() => request.destroy(), 150),
        ),
        `${name}: the client is gone`,
      )
      nothingStored(t)
    }
  })

  t.test('signed chunks', async (t) => {
    const side = await sides(t)
    const head = () => streamingHead(side, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', BODY.length)
    const good = head()
    const wire = (h: typeof good) => signedChunks({ body: BODY, chunkSize: 65536, verified: h.verified })
    for (const chunked of [false, true]) {
      const h = head()
      const stored = await upload(side, h, wire(h), chunked)
      t.equal(stored.status, 200, stored.text)
      t.same((await s3(side, 'GET', PATH)).body, BODY, 'stored without the framing')
      t.equal((await s3(side, 'HEAD', PATH)).headers['content-encoding'], undefined, 'aws-chunked is not stored')
      await s3(side, 'DELETE', PATH)
    }
    const bytes = wire(good)
    const lastSignature = bytes.lastIndexOf('chunk-signature=') + 20
    const places: Record<string, number> = {
      'first chunk': 1000,
      'last byte of the object': bytes.lastIndexOf('\r\n0;') - 1,
      'first signature': 30,
      'last signature': lastSignature,
    }
    for (const [name, at] of Object.entries(places)) {
      const h = head()
      const answer = await upload(side, h, flip(wire(h), at))
      t.equal(answer.status, 403, `${name}: ${answer.code}`)
      nothingStored(t)
    }
    const short = head()
    t.equal((await upload(side, short, wire(short).subarray(0, -90))).status, 400, 'without the last chunk')
    nothingStored(t)
    const lying = streamingHead(side, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', BODY.length - 1)
    t.equal(
      (await upload(side, lying, signedChunks({ body: BODY, chunkSize: 65536, verified: lying.verified }))).status,
      400,
      'more bytes than said',
    )
    nothingStored(t)
    const less = streamingHead(side, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', BODY.length + 1)
    t.equal(
      (await upload(side, less, signedChunks({ body: BODY, chunkSize: 65536, verified: less.verified }))).status,
      400,
      'fewer bytes than said',
    )
    nothingStored(t)
    const empty = streamingHead(side, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 0)
    const emptyWire = signedChunks({ body: Buffer.alloc(0), chunkSize: 65536, verified: empty.verified })
    t.equal((await upload(side, empty, flip(emptyWire, 30))).status, 403, 'an empty object with a wrong signature')
    nothingStored(t)
    const zero = streamingHead(side, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 0)
    const zeroWire = signedChunks({ body: Buffer.alloc(0), chunkSize: 65536, verified: zero.verified })
    t.equal((await upload(side, zero, zeroWire)).status, 200, 'an empty object')
    await s3(side, 'DELETE', PATH)
  })

  t.test('a signed trailer', async (t) => {
    const side = await sides(t)
    const trailer = { name: 'x-amz-checksum-crc32', value: crc32base64(BODY) }
    const head = () =>
      streamingHead(side, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', BODY.length, { 'x-amz-trailer': trailer.name })
    const wire = (h: ReturnType<typeof head>, value = trailer.value) =>
      signedChunks({ body: BODY, chunkSize: 65536, trailer: { ...trailer, value }, verified: h.verified })
    const good = head()
    const stored = await upload(side, good, wire(good))
    t.equal(stored.status, 200, stored.text)
    const got = await s3(side, 'GET', PATH, { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    t.same(got.body, BODY)
    t.equal(got.headers['x-amz-checksum-crc32'], trailer.value, 'S3 has checked and kept the checksum')
    await s3(side, 'DELETE', PATH)
    const flipped = head()
    const bytes = wire(flipped)
    t.equal((await upload(side, flipped, flip(bytes, bytes.lastIndexOf('x-amz-trailer-signature:') + 30))).status, 403)
    nothingStored(t)
    const changed = head()
    const other = wire(changed)
    t.equal(
      (await upload(side, changed, flip(other, other.lastIndexOf('crc32:') + 7))).status,
      403,
      'the checksum itself',
    )
    nothingStored(t)
    const wrong = head()
    t.equal(
      (await upload(side, wrong, wire(wrong, crc32base64(Buffer.from('else'))))).status,
      400,
      'signed, but not of this body',
    )
    nothingStored(t)
  })

  t.test('an unsigned trailer: S3 checks it, or the proxy where S3 cannot', async (t) => {
    const trailer = { name: 'x-amz-checksum-crc32', value: crc32base64(BODY) }
    for (const trailingChecksums of ['relay', 'verify'] as const) {
      origin.faults.refuseTrailers = trailingChecksums === 'verify'
      const proxy = await startTestProxy(t, { upstream, rules, overrides: { trailingChecksums } })
      const side: S3Side = { port: proxy.port, ...CLIENT }
      const head = () =>
        streamingHead(side, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', BODY.length, { 'x-amz-trailer': trailer.name })
      const wire = unsignedChunks({ body: BODY, chunkSize: 65536, trailer })
      for (const chunked of [false, true]) {
        const stored = await upload(side, head(), wire, chunked)
        t.equal(stored.status, 200, `${trailingChecksums} ${stored.text}`)
        t.same((await s3(side, 'GET', PATH)).body, BODY)
        await s3(side, 'DELETE', PATH)
      }
      t.equal((await upload(side, head(), flip(wire, 1000))).status, 400, 'a changed byte')
      nothingStored(t)
      t.equal((await upload(side, head(), wire.subarray(0, -40))).status, 400, 'no trailer')
      nothingStored(t)
    }
    origin.resetFaults()
  })

  t.test('two of what must be one, and other ways to be read in two ways', async (t) => {
    const side = await sides(t)
    const { headers } = signedCall(side, 'GET', PATH)
    const pairs = Object.entries(headers).flatMap(([name, value]) => [name, value])
    for (const twice of ['x-amz-date', 'x-amz-content-sha256', 'authorization']) {
      const answer = await send(side, { method: 'GET', path: PATH, headers: [...pairs, twice, headers[twice]!] })
      t.equal(answer.status, 400, `${twice} twice: ${answer.code}`)
    }
    const query = await s3(side, 'GET', PATH, { query: { versionId: 'a' } })
    t.not(query.status, 200)
    const twice = await send(side, { method: 'GET', path: `${PATH}?versionId=a&versionId=b`, headers })
    t.equal(twice.code, 'InvalidArgument')
    const unknown = await s3(side, 'PUT', PATH, { query: { renameObject: '' }, body: 'x' })
    t.equal(unknown.code, 'NotImplemented')
    const future = await s3(side, 'PUT', PATH, { query: { somethingNew: '' }, body: 'x' })
    t.equal(future.code, 'NotImplemented', 'an operation that nobody knows is refused')
    nothingStored(t)
  })
}
