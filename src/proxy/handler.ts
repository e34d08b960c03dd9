import type { IncomingMessage, ServerResponse } from 'node:http'

/** Where a request came in. */
export interface ListenerInfo {
  /** As in messages and logs: `https 0.0.0.0:8443`, `unix /run/ssec-proxy.sock`. */
  readonly name: string
  readonly type: 'https' | 'http' | 'unix'
  /** The identity of requests without a signature; only loopback listeners may have one. */
  readonly anonymous: string | 'none'
}

export interface HandlerContext {
  readonly listener: ListenerInfo
  /** The client waits for 100 Continue before it sends the body: call `response.writeContinue()` to have it. */
  readonly expectsContinue: boolean
}

/** Answers one request. Resolves when the request is over, whatever became of it; never rejects. */
export type Handler = (request: IncomingMessage, response: ServerResponse, context: HandlerContext) => Promise<void>
