import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Answer } from './call.js'
import type { Interception, SeenRequest } from './faults.js'
import type { Refusal } from './refusal.js'
import { escapeXml, leaf } from './xml.js'

/** Sends an answer; with HEAD its body is left out and its length kept. Resolves when all is handed over. */
export async function send(
  response: ServerResponse,
  requestId: string,
  answer: Answer,
  headOnly: boolean,
  truncateAfter: number,
): Promise<void> {
  const { body, status } = answer
  const headers: Record<string, string> = {
    'x-amz-id-2': randomBytes(48).toString('base64'),
    'x-amz-request-id': requestId,
    server: 'AmazonS3',
    ...answer.headers,
  }
  if (body.type === 'xml') {
    headers['content-type'] = 'application/xml'
    headers['content-length'] = String(Buffer.byteLength(body.text))
  } else if (body.type === 'none' && !headOnly && status !== 204 && status !== 304) {
    headers['content-length'] = '0'
  }
  response.writeHead(status, headers)
  if (headOnly || body.type === 'none') {
    response.end()
  } else if (body.type === 'xml') {
    response.end(body.text)
  } else {
    const cut = truncateAfter < body.size ? truncateAfter : Infinity
    await pipeline(Readable.from(limited(body.bytes, cut), { objectMode: false }), response, { end: cut === Infinity })
    if (cut !== Infinity) response.destroy()
  }
}

function* limited(bytes: Iterable<Buffer>, limit: number): Generator<Buffer> {
  let left = limit
  for (const part of bytes) {
    yield part.subarray(0, left)
    left -= part.length
    if (left <= 0) return
  }
}

/** S3's error document. Answers to HEAD and 304 have none. */
export function errorAnswer(refusal: Refusal, seen: SeenRequest): Answer {
  if (refusal.status === 304) return { status: 304, headers: refusal.headers, body: { type: 'none' } }
  const [resource = ''] = seen.target.split('?')
  const extra = Object.entries(refusal.extra).map(([name, value]) => leaf(name, value))
  const text =
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error>' +
    leaf('Code', refusal.code) +
    leaf('Message', refusal.message) +
    extra.join('') +
    `<Resource>${escapeXml(resource)}</Resource>` +
    leaf('RequestId', seen.requestId) +
    '</Error>'
  return { status: refusal.status, headers: refusal.headers, body: { type: 'xml', text } }
}

/** Does what a test wants done instead of an answer; tells whether it did. */
export async function intercepted(
  interception: Interception,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): Promise<boolean> {
  if (interception.type === 'proceed') return false
  if (interception.type === 'hang') return true
  if (interception.afterBody === true) {
    if (expectsContinue) response.writeContinue()
    await drain(request)
  }
  if (interception.type === 'destroy') {
    request.socket.destroy()
    return true
  }
  const body = interception.body ?? ''
  response.writeHead(interception.status, {
    'content-length': String(Buffer.byteLength(body)),
    ...interception.headers,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
  return true
}

async function drain(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request.on('end', resolve).on('error', reject).resume()
  })
}
