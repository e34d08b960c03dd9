import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { testCertificates } from './certificates.js'

/** A TLS server in front of a KMS (or of none), which lets calls through or answers itself. */
export interface KmsFront {
  readonly port: number
  /** CA of its certificate, PEM. */
  readonly ca: string
  /** `TrentService.Decrypt`, whose signature it has, and the parsed body of each call. */
  readonly calls: {
    readonly target: string
    readonly accessKeyId: string
    readonly body: Readonly<Record<string, unknown>>
  }[]
  /** What becomes of calls from now on. */
  behaviour: 'pass' | 'silence' | { readonly status: number; readonly body: string; readonly location?: string }
  readonly close: () => Promise<void>
}

/** What KMS answers where it answers with an error. */
export const kmsError = (status: number, type: string, message = 'no') => ({
  status,
  body: JSON.stringify({ __type: type, message }),
})

export async function startKmsFront(backendPort: number | 'none' = 'none'): Promise<KmsFront> {
  const { authority, leaf } = testCertificates()
  const server: Server = createServer({ cert: leaf.cert, key: leaf.key }, (incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const bytes = Buffer.concat(chunks)
      const body = JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>
      const accessKeyId = /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1] ?? 'none'
      front.calls.push({ target: String(incoming.headers['x-amz-target']), accessKeyId, body })
      const { behaviour } = front
      if (behaviour === 'silence') return
      if (behaviour !== 'pass') {
        const { status, body: text, location } = behaviour
        response.writeHead(status, {
          'content-type': 'application/x-amz-json-1.1',
          ...(location === undefined ? {} : { location }),
        })
        response.end(text)
        return
      }
      if (backendPort === 'none') throw new Error('there is no KMS behind')
      const onward = request(
        { host: '127.0.0.1', port: backendPort, method: 'POST', path: '/', headers: incoming.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(response)
        },
      )
      onward.on('error', () => response.destroy())
      onward.end(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const front: KmsFront = {
    port: (server.address() as AddressInfo).port,
    ca: authority.cert,
    calls: [],
    behaviour: 'pass',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return front
}
