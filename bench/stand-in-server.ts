import { type Server, createServer } from 'node:tls'
import type { Socket } from 'node:net'
import { BLOCK, buffersOf } from './content.js'
import { httpReader, writeAll } from './http-reader.js'
import { chunkedListing } from './listing.js'
import { SLOW_BYTES_PER_SECOND } from './load-job.js'
import { restAfter } from './slow-reader.js'

const COMMON =
  'x-amz-id-2: benchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbe\r\n' +
  'x-amz-request-id: BENCHBENCHBENCH0\r\n' +
  'Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n' +
  'Server: AmazonS3\r\n'

const ETAG = '9bb58f26192e4ba00f01e2e7b136bbd8'

const OBJECT = `${COMMON}ETag: "${ETAG}"\r\n`

const PROVEN = `${OBJECT}x-amz-server-side-encryption-customer-algorithm: AES256\r\n`

const REFUSAL = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'

const LISTING = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 200 OK\r\n${COMMON}x-amz-bucket-region: us-east-1\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'latin1',
  ),
  chunkedListing(),
])

/** Of a form so much is kept: its fields stand in it, S3 allows 20 KiB. */
const MAX_FORM_HEAD = 20 * 1024

/**
 * What begins the name of an object that is special: `plain` wants no customer key; `slow` is read and written at 5 MiB/s;
 * with the others the stand-in hangs up before it answers, in the middle of the answer's body, in the middle of the request's.
 */
export const BEHAVIOURS = ['plain-', 'slow-', 'unanswered-', 'half-answered-', 'half-read-'] as const
type Behaviour = (typeof BEHAVIOURS)[number]

/**
 * Answers as S3 does to GETs, PUTs and forms with a customer key and to ListObjectsV2, and does nothing else. No signature is
 * looked at, and nothing is stored: `/bench/<size>/<name>` has that many bytes, and what is sent is read and forgotten.
 */
export function standInServer(tls: { readonly cert: string; readonly key: string }): Server {
  const server = createServer({ ...tls, ALPNProtocols: ['http/1.1'] }, serve)
  server.on('tlsClientError', () => undefined)
  return server
}

function serve(socket: Socket): void {
  let head = ''
  let form = ''
  let as: Behaviour | 'S3' = 'S3'
  const feed = httpReader({
    head: (text) => {
      head = text
      form = ''
      as = behaviourOf(text)
    },
    body: (bytes) => {
      if (head.startsWith('POST ') && form.length < MAX_FORM_HEAD) form += bytes.toString('latin1')
      else if (as === 'half-read-') socket.destroy()
    },
    end: () => answer(socket, head, form, as),
  })
  socket.on('data', (chunk: Buffer) => {
    const body = feed(chunk)
    if (as === 'slow-' && body > 0) restAfter(socket, body)
  })
  socket.on('error', () => socket.destroy())
}

const behaviourOf = (head: string): Behaviour | 'S3' => {
  const name = /^[A-Z]+ \/bench\/\d+\/(\S+)/.exec(head)?.[1] ?? ''
  return BEHAVIOURS.find((start) => name.startsWith(start)) ?? 'S3'
}

function answer(socket: Socket, head: string, form: string, as: Behaviour | 'S3'): void {
  if (as === 'unanswered-') socket.destroy()
  else if (head.startsWith('GET /bench?list-type=2')) socket.write(LISTING)
  else if (head.startsWith('POST /bench ')) answerForm(socket, form)
  else answerObject(socket, head, as)
}

/** As PostObject answers: the proof in the head, and with 201 a document. */
function answerForm(socket: Socket, form: string): void {
  const md5 = fieldOf(form, 'x-amz-server-side-encryption-customer-key-MD5')
  if (md5 === undefined || fieldOf(form, 'x-amz-server-side-encryption-customer-key') === undefined) {
    socket.write(REFUSAL)
    return
  }
  const key = fieldOf(form, 'key') ?? ''
  const status = fieldOf(form, 'success_action_status') === '201' ? '201 Created' : '200 OK'
  const location = `https://localhost/bench/${encodeURIComponent(key)}`
  const document = status.startsWith('200')
    ? ''
    : `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>${location}</Location><Bucket>bench</Bucket>` +
      `<Key>${key}</Key><ETag>"${ETAG}"</ETag></PostResponse>`
  socket.write(
    `HTTP/1.1 ${status}\r\n${PROVEN}x-amz-server-side-encryption-customer-key-MD5: ${md5}\r\nLocation: ${location}\r\n` +
      `Content-Type: application/xml\r\nContent-Length: ${document.length}\r\n\r\n${document}`,
    'latin1',
  )
}

const fieldOf = (form: string, name: string): string | undefined =>
  new RegExp(`; name="${name}"\r\n\r\n([^\r]*)\r\n`, 'i').exec(form)?.[1]

function answerObject(socket: Socket, head: string, as: Behaviour | 'S3'): void {
  const md5 = /\r\nx-amz-server-side-encryption-customer-key-md5: *(\S+)/i.exec(head)?.[1]
  if (md5 === undefined && as !== 'plain-') {
    socket.write(REFUSAL)
    return
  }
  const proof = md5 === undefined ? OBJECT : `${PROVEN}x-amz-server-side-encryption-customer-key-MD5: ${md5}\r\n`
  const proven = `HTTP/1.1 200 OK\r\n${proof}Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n`
  if (head.startsWith('PUT ')) {
    socket.write(`${proven}Content-Length: 0\r\n\r\n`, 'latin1')
    return
  }
  const size = Number(/^GET \/bench\/(\d+)\//.exec(head)?.[1] ?? 0)
  const start = Buffer.from(
    `${proven}Accept-Ranges: bytes\r\nContent-Type: binary/octet-stream\r\nContent-Length: ${size}\r\n\r\n`,
    'latin1',
  )
  if (as === 'half-answered-') {
    socket.write(Buffer.concat([start, BLOCK.subarray(0, Math.min(BLOCK.length, size / 2))]), () => socket.destroy())
  } else if (size <= BLOCK.length) socket.write(Buffer.concat([start, BLOCK.subarray(0, size)]))
  else {
    socket.write(start)
    const body = buffersOf([{ fill: size }])
    if (as === 'slow-') writeSlowly(socket, body)
    else writeAll(socket, body)
  }
}

function writeSlowly(socket: Socket, buffers: Iterator<Buffer>): void {
  const next = buffers.next()
  if (next.done === true || socket.destroyed) return
  socket.write(next.value, () => {
    setTimeout(() => writeSlowly(socket, buffers), (next.value.length / SLOW_BYTES_PER_SECOND) * 1000)
  })
}
