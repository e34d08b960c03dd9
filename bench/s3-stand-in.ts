// A process of its own: answers as S3 does to SSE-C GETs and PUTs, and does nothing else. No signature is looked at, and
// nothing is stored: `/bench/<size>/<name>` has that many bytes, and the body of a PUT is read and forgotten.
import { createServer } from 'node:tls'
import { readFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { BLOCK, buffersOf } from './content.js'
import { httpReader, writeAll } from './http-reader.js'

const [certFile = '', keyFile = ''] = process.argv.slice(2)

const ANSWER =
  'HTTP/1.1 200 OK\r\n' +
  'x-amz-id-2: benchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbe\r\n' +
  'x-amz-request-id: BENCHBENCHBENCH0\r\n' +
  'Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n' +
  'Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n' +
  'ETag: "9bb58f26192e4ba00f01e2e7b136bbd8"\r\n' +
  'x-amz-server-side-encryption-customer-algorithm: AES256\r\n' +
  'Server: AmazonS3\r\n'

const REFUSAL = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'

function serve(socket: Socket): void {
  let head = ''
  const feed = httpReader({ head: (text) => (head = text), end: () => answer(socket, head) })
  socket.on('data', feed)
  socket.on('error', () => socket.destroy())
}

function answer(socket: Socket, head: string): void {
  const md5 = /\r\nx-amz-server-side-encryption-customer-key-md5: *(\S+)/i.exec(head)?.[1]
  if (md5 === undefined) {
    socket.write(REFUSAL)
    return
  }
  const proof = `x-amz-server-side-encryption-customer-key-MD5: ${md5}\r\n`
  if (head.startsWith('PUT ')) {
    socket.write(`${ANSWER}${proof}Content-Length: 0\r\n\r\n`, 'latin1')
    return
  }
  const size = Number(/^GET \/bench\/(\d+)\//.exec(head)?.[1] ?? 0)
  const start = Buffer.from(
    `${ANSWER}${proof}Accept-Ranges: bytes\r\nContent-Type: binary/octet-stream\r\nContent-Length: ${size}\r\n\r\n`,
    'latin1',
  )
  if (size <= BLOCK.length) socket.write(Buffer.concat([start, BLOCK.subarray(0, size)]))
  else {
    socket.write(start)
    writeAll(socket, buffersOf([{ fill: size }]))
  }
}

const server = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), ALPNProtocols: ['http/1.1'] },
  serve,
)
server.on('tlsClientError', () => undefined)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
