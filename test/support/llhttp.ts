import { createRequire } from 'node:module'

/** One parser of llhttp, as node:http itself uses it. */
export interface LlhttpParser {
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | Error
  finish(): undefined | Error
  [callback: number]: unknown
}

interface Llhttp {
  new (): LlhttpParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

process.removeAllListeners('warning') // this module is deprecated for users, which a test is not
/** Node's own parser, for what ours are held to. */
export const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  readonly HTTPParser: Llhttp
  readonly methods: readonly string[]
}
