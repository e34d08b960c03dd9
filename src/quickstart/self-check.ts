import {
  BUCKET,
  CLIENT_ACCESS_KEY_ID,
  ORIGIN_ACCESS_KEY_ID,
  type QuickstartFolder,
  type QuickstartPorts,
  REGION,
} from './folder.js'
import { SecretAccessKey } from '../sigv4/types.js'
import { createHash, createSecretKey } from 'node:crypto'
import { encodePath } from '../s3/encode.js'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { signRequest } from '../sigv4/sign.js'
import { targetHeaders } from '../s3/customer-key.js'

/** One line of what the self-check saw. */
export interface Seen {
  readonly good: boolean
  readonly line: string
}

interface Side {
  readonly port: number
  readonly accessKeyId: string
  readonly secret: string
}

/**
 * One object on its way: stored through the proxy as plain S3, read back through it, and asked for at the origin
 * without its key and with a wrong one.
 */
export async function selfCheck(
  folder: QuickstartFolder,
  ports: QuickstartPorts,
  world: { readonly now: () => Date; readonly randomBytes: (size: number) => Buffer },
): Promise<readonly Seen[]> {
  const content = Buffer.from(`Hello from ssec-proxy, ${world.randomBytes(8).toString('hex')}\n`)
  const objectKey = 'quickstart/hello.txt'
  const ca = readFileSync(folder.ca, 'utf8')
  const proxy: Side = { port: ports.proxy, accessKeyId: CLIENT_ACCESS_KEY_ID, secret: folder.clientSecret }
  const origin: Side = { port: ports.origin, accessKeyId: ORIGIN_ACCESS_KEY_ID, secret: folder.originSecret }
  const ask = (side: Side, method: string, extra: Readonly<Record<string, string>>, body?: Buffer) =>
    send(side, ca, method, objectKey, extra, body ?? Buffer.alloc(0), world.now())

  const put = await ask(proxy, 'PUT', {}, content)
  const got = await ask(proxy, 'GET', {})
  const without = await ask(origin, 'GET', {})
  const wrong = await ask(origin, 'GET', targetHeaders(createSecretKey(world.randomBytes(32))))
  const same = got.status === 200 && got.body.equals(content)
  return [
    { good: put.status === 200, line: `PUT ${BUCKET}/${objectKey} through the proxy, plain S3: ${put.status}` },
    { good: same, line: `GET through the proxy: ${got.status}, ${same ? 'the same bytes' : 'NOT the same bytes'}` },
    { good: without.status === 400, line: `GET straight from S3 without the key: ${without.status} ${without.code}` },
    { good: wrong.status === 403, line: `GET straight from S3 with a wrong key: ${wrong.status} ${wrong.code}` },
  ]
}

function send(
  side: Side,
  ca: string,
  method: string,
  objectKey: string,
  extra: Readonly<Record<string, string>>,
  body: Buffer,
  now: Date,
): Promise<{ readonly status: number; readonly code: string; readonly body: Buffer }> {
  const { path, headers } = signRequest({
    method,
    path: `/${BUCKET}/${encodePath(objectKey)}`,
    query: new Map(),
    headers: {
      host: `localhost:${side.port}`,
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      ...extra,
    },
    credentials: {
      accessKeyId: side.accessKeyId,
      secretAccessKey: new SecretAccessKey(side.secret),
      sessionToken: 'none',
    },
    region: REGION,
    now,
  })
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: 'localhost', port: side.port, method, path, ca, headers: { ...headers, 'content-length': body.length } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const code = /<Code>(\w+)<\/Code>/.exec(bytes.toString('latin1'))?.[1] ?? ''
          resolve({ status: answer.statusCode ?? 0, code, body: bytes })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
