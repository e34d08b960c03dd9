import { type RequestBody, emptyBody } from './request-body.js'
import type { ClientRequest } from '../../proxy/handler.js'
import type { FieldLines } from '../../http1/fields.js'
import type { Readable } from 'node:stream'
import type { RequestHead } from './request-head.js'

/** A request as handlers know it. A class, not a literal: all have one shape and share their functions. */
export class LeanRequest implements ClientRequest {
  readonly method: string
  readonly url: string
  readonly fieldLines: FieldLines
  readonly remoteAddress: string
  readonly #body: RequestBody | 'none'

  constructor(head: RequestHead, remoteAddress: string, body: RequestBody | 'none') {
    this.method = head.method
    this.url = head.target
    this.fieldLines = head.fieldLines
    this.remoteAddress = remoteAddress
    this.#body = body
  }

  openBody(): Readable {
    return this.#body === 'none' ? emptyBody() : this.#body.open()
  }
}
