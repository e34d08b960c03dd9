import type { SignedHead } from '../sigv4/signed-head.js'
import type { Endpoint } from './address.js'
import type { UpstreamRequest } from './types.js'

/** A request that the signer made the head of: what is sent of it was checked there, and cannot have changed since. */
export class SignedUpstreamRequest implements UpstreamRequest {
  readonly hostname: string
  readonly port: number
  readonly body: UpstreamRequest['body']
  readonly #head: SignedHead

  constructor({ hostname, port }: Endpoint, head: SignedHead, body: UpstreamRequest['body']) {
    this.hostname = hostname
    this.port = port
    this.body = body
    this.#head = head
    Object.freeze(this)
  }

  get method(): string {
    return this.#head.method
  }

  get path(): string {
    return this.#head.path
  }

  get headers(): UpstreamRequest['headers'] {
    return this.#head.headers()
  }

  /** `none` where the signer did not make the request. */
  static headOf(request: UpstreamRequest): SignedHead | 'none' {
    return #head in request ? request.#head : 'none'
  }
}
