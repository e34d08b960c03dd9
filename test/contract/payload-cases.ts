import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { signedChunks, unsignedChunks } from '../support/aws-chunked.js'
import type { RawRequest } from '../support/raw-client.js'
import { customerKey, keyHeaders, on, say, sayBody, type Case, type Context } from './case.js'

const BODY = Buffer.alloc(20_000, 'payload ')
const CRC32 = Buffer.alloc(4)
CRC32.writeUInt32BE(crc32(BODY))
const TRAILER = { name: 'x-amz-checksum-crc32', value: CRC32.toString('base64') }
const WRONG_TRAILER = { name: 'x-amz-checksum-crc32', value: 'AAAAAA==' }
const CHUNK = 8192
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const streaming = (mode: string, more: Record<string, string> = {}) => ({
  payload: mode,
  headers: { 'x-amz-decoded-content-length': String(BODY.length), 'content-encoding': 'aws-chunked', ...more },
})
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
const UNSIGNED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
const trailing = { 'x-amz-trailer': TRAILER.name }

/** PutObject with a customer key: what is said, and what can be read back. */
const put = (request: Omit<RawRequest, 'method' | 'path'>) => async (context: Context) => {
  const key = customerKey()
  const answer = await on(context, 'PUT', { ...request, headers: { ...request.headers, ...keyHeaders(key) } })
  const got = await on(context, 'GET', { headers: keyHeaders(key) })
  const coding =
    got.headers['content-encoding'] === undefined ? '' : `, Content-Encoding ${got.headers['content-encoding']}`
  return `${say(answer)}, ${got.status === 404 ? 'absent' : sayBody(got, BODY)}${coding}`
}

/** The body with one of its bytes changed. */
function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

export const PAYLOADS: readonly Case[] = [
  { name: 'payload: its hash', run: put({ body: BODY }) },
  { name: 'payload: another hash', run: put({ body: BODY, payload: sha256(Buffer.from('other')) }) },
  { name: 'payload: unsigned', run: put({ body: BODY, payload: 'UNSIGNED-PAYLOAD' }) },
  { name: 'payload: something unknown', run: put({ body: BODY, payload: 'whatever' }) },
  {
    name: 'payload: signed chunks',
    run: put({ body: (verified) => signedChunks({ body: BODY, chunkSize: CHUNK, verified }), ...streaming(SIGNED) }),
  },
  {
    name: 'payload: signed chunks, one byte flipped',
    run: put({
      body: (verified) => flipped(signedChunks({ body: BODY, chunkSize: CHUNK, verified }), 9_000),
      ...streaming(SIGNED),
    }),
  },
  {
    name: 'payload: signed chunks, the last one missing',
    run: put({
      body: (verified) => signedChunks({ body: BODY, chunkSize: CHUNK, verified }).subarray(0, -88),
      ...streaming(SIGNED),
    }),
  },
  {
    name: 'payload: signed chunks and a content coding of its own',
    run: put({
      body: (verified) => signedChunks({ body: BODY, chunkSize: CHUNK, verified }),
      ...streaming(SIGNED, { 'content-encoding': 'aws-chunked,gzip' }),
    }),
  },
  {
    name: 'payload: signed chunks with a signed trailer',
    run: put({
      body: (verified) => signedChunks({ body: BODY, chunkSize: CHUNK, trailer: TRAILER, verified }),
      ...streaming(`${SIGNED}-TRAILER`, trailing),
    }),
  },
  {
    name: 'payload: signed chunks with a signed trailer that is wrong',
    run: put({
      body: (verified) => signedChunks({ body: BODY, chunkSize: CHUNK, trailer: WRONG_TRAILER, verified }),
      ...streaming(`${SIGNED}-TRAILER`, trailing),
    }),
  },
  {
    name: 'payload: unsigned with a trailer',
    run: put({
      body: unsignedChunks({ body: BODY, chunkSize: CHUNK, trailer: TRAILER }),
      ...streaming(UNSIGNED, trailing),
    }),
  },
  {
    name: 'payload: unsigned with a trailer, no Content-Length',
    run: put({
      body: unsignedChunks({ body: BODY, chunkSize: CHUNK, trailer: TRAILER }),
      ...streaming(UNSIGNED, { ...trailing, 'transfer-encoding': 'chunked' }),
    }),
  },
  {
    name: 'payload: unsigned and of unknown length',
    run: put({ body: BODY, payload: 'UNSIGNED-PAYLOAD', headers: { 'transfer-encoding': 'chunked' } }),
  },
  {
    name: 'payload: unsigned with a trailer, one byte flipped',
    run: put({
      body: flipped(unsignedChunks({ body: BODY, chunkSize: CHUNK, trailer: TRAILER }), 9_000),
      ...streaming(UNSIGNED, trailing),
    }),
  },
  {
    name: 'payload: unsigned, the promised trailer missing',
    run: put({ body: unsignedChunks({ body: BODY, chunkSize: CHUNK }), ...streaming(UNSIGNED, trailing) }),
  },
  {
    name: 'payload: unsigned with a trailer, the decoded length a lie',
    run: put({
      body: unsignedChunks({ body: BODY, chunkSize: CHUNK, trailer: TRAILER }),
      ...streaming(UNSIGNED, { ...trailing, 'x-amz-decoded-content-length': String(BODY.length + 1) }),
    }),
  },
  {
    name: 'payload: chunks of less than 8 KiB',
    run: put({
      body: unsignedChunks({ body: BODY, chunkSize: 5_000, trailer: TRAILER }),
      ...streaming(UNSIGNED, trailing),
    }),
  },
  {
    name: 'payload: SigV4A chunks',
    run: put({ body: BODY, ...streaming('STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD') }),
  },
  {
    name: 'Content-MD5 that fits',
    run: put({ body: BODY, headers: { 'content-md5': createHash('md5').update(BODY).digest('base64') } }),
  },
  {
    name: 'Content-MD5 of something else',
    run: put({ body: BODY, headers: { 'content-md5': createHash('md5').update('x').digest('base64') } }),
  },
  { name: 'Content-MD5 that is none', run: put({ body: BODY, headers: { 'content-md5': 'abc' } }) },
  { name: 'a checksum header that fits', run: put({ body: BODY, headers: { 'x-amz-checksum-crc32': TRAILER.value } }) },
  {
    name: 'a checksum header of something else',
    run: put({ body: BODY, headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }),
  },
  {
    name: 'a checksum of an SSE-C object is given back',
    run: async (context) => {
      const headers = keyHeaders(customerKey())
      await on(context, 'PUT', { body: BODY, headers: { ...headers, 'x-amz-checksum-crc32': TRAILER.value } })
      const got = await on(context, 'HEAD', { headers: { ...headers, 'x-amz-checksum-mode': 'ENABLED' } })
      return got.headers['x-amz-checksum-crc32'] === TRAILER.value ? 'the same' : 'none'
    },
  },
]
