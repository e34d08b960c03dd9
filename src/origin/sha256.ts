import { createHash, createHmac } from 'node:crypto'
import type { SourceData } from '@smithy/types'

type Running = ReturnType<typeof createHash | typeof createHmac>

/** SHA-256, or HMAC-SHA-256 where a secret is given, in the shape that @smithy/signature-v4 asks for. */
export class Sha256 {
  #hash: Running
  readonly #secret: SourceData | undefined
  constructor(secret?: SourceData) {
    this.#secret = secret
    this.#hash = this.#start()
  }
  update(data: Uint8Array): void {
    this.#hash.update(data)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {
    this.#hash = this.#start()
  }
  #start(): Running {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(this.#secret))
  }
}

function bytesOf(data: SourceData): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8')
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data)
}
