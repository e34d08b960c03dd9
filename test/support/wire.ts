import { createHash, createHmac } from 'node:crypto'
import { connect } from 'node:net'

/** A request byte for byte, for what no HTTP library would send. */
export interface WireRequest {
  readonly method: string
  /** Raw target; the query, if any, in canonical form already. */
  readonly target: string
  /** default 1.1 */
  readonly version?: '1.0' | '1.1'
  /** In the order and spelling given; Authorization is added behind them. */
  readonly headers: readonly (readonly [string, string])[]
  /** Lower-case names of what is signed with version 4; `none`: no signature is added. */
  readonly signed: readonly string[] | 'none'
  /** Header values as they are signed, where that differs from how they are sent. */
  readonly signedAs?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

export interface WireAnswer {
  /** Status line and headers. */
  readonly head: string
  /** Everything behind the head, framing included. */
  readonly body: Buffer
  /** `<Code>` of an error document, or `''`. */
  readonly code: string
}

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** `x-amz-date` of now. */
export const amzDate = (): string => new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')

/** The request's bytes, signed with version 4 over exactly these headers. Written from AWS's pages, without anything of src. */
export function wireBytes(request: WireRequest, keys: Keys): Buffer {
  const lines = request.headers.map(([name, value]) => `${name}: ${value}\r\n`)
  if (request.signed !== 'none') lines.push(`Authorization: ${authorization(request, request.signed, keys)}\r\n`)
  const start = `${request.method} ${request.target} HTTP/${request.version ?? '1.1'}\r\n`
  return Buffer.concat([Buffer.from(`${start}${lines.join('')}\r\n`, 'latin1'), Buffer.from(request.body ?? '')])
}

function authorization(request: WireRequest, names: readonly string[], { accessKeyId, secretAccessKey }: Keys): string {
  const valueOf = (name: string): string =>
    request.signedAs?.[name] ??
    request.headers
      .filter(([other]) => other.toLowerCase() === name)
      .map(([, value]) => value.trim().replace(/ +/g, ' '))
      .join(',')
  const timestamp = valueOf('x-amz-date')
  const [path = '', query = ''] = request.target.split('?', 2)
  const canonical = [
    request.method,
    path,
    query,
    ...names.map((name) => `${name}:${valueOf(name)}`),
    '',
    names.join(';'),
    valueOf('x-amz-content-sha256'),
  ].join('\n')
  const scope = [timestamp.slice(0, 8), 'us-east-1', 's3', 'aws4_request']
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
  const hash = createHash('sha256').update(canonical).digest('hex')
  const text = ['AWS4-HMAC-SHA256', timestamp, scope.join('/'), hash].join('\n')
  const key = scope.reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`))
  const signature = hmac(key, text).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

/** Sends bytes to a port without TLS and collects what comes until the other side closes. */
export function untilClosed(port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => void socket.write(bytes))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('error', reject)
    socket.once('close', () => resolve(Buffer.concat(chunks)))
    socket.setTimeout(20_000, () => socket.destroy(new Error('the other side did not close the connection')))
  })
}

/** Takes an answer apart; answers of 1xx before it are dropped. */
export function wireAnswer(received: Buffer): WireAnswer {
  const text = received.toString('latin1').replace(/^(?:HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, '')
  const end = text.indexOf('\r\n\r\n')
  const body = Buffer.from(text.slice(end + 4), 'latin1')
  return { head: text.slice(0, end), body, code: /<Code>(\w+)<\/Code>/.exec(body.toString())?.[1] ?? '' }
}
