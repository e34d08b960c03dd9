import { Agent } from 'node:https'
import { pathOf, send, sha256, signedCall, type S3Answer, type S3Side } from '../support/s3-client.js'

export interface KeepAliveClient {
  /** One signed request on a connection that is kept: ten thousand of them want no handshake each. */
  call(method: string, bucket: string, objectKey: string, call?: Omit<Call, 'wire'>): Promise<S3Answer>
  close(): void
}

type Call = NonNullable<Parameters<typeof signedCall>[3]>

export function keepAliveClient(side: S3Side): KeepAliveClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, ...(side.ca === undefined ? {} : { ca: side.ca }) })
  return {
    call: (method, bucket, objectKey, call = {}) => {
      const body = Buffer.from(call.body ?? '')
      const path = objectKey === '' ? `/${bucket}` : pathOf(bucket, objectKey)
      const signed = signedCall(side, method, path, call)
      const headers = { ...signed.headers, 'content-length': String(body.length) }
      return send(side, { method, path: signed.path, headers, agent }, body)
    },
    close: () => agent.destroy(),
  }
}

export const hashOf = ({ body }: Pick<S3Answer, 'body'>): string => sha256(body)
