import type { FieldLines, Fields } from '../s3/fields.js'
import type { Readable, Writable } from 'node:stream'

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

/** A client's request whose head was read and found unambiguous. */
export interface ClientRequest {
  readonly method: string
  /** The request-target as sent. */
  readonly url: string
  /** Byte strings (latin1). */
  readonly fieldLines: FieldLines
  /** `unix` where there is none. */
  readonly remoteAddress: string
  /**
   * The body without its framing, as a stream of its own; asked for at most once. It is exactly as long as the head says,
   * or fails: with S3Error IncompleteBody where the client leaves before its end. Destroying it leaves the connection
   * alone, which still has to carry the answer.
   */
  openBody(): Readable
}

/** How the head of an answer differs from the fields it is made of: they are not copied for that. */
export interface FieldChanges {
  /** Whether a field of this name stays behind. */
  readonly drops: (name: string) => boolean
  /** Few: each in place of the field of its name, dropped or not, or behind all others where there is none. */
  readonly own: readonly (readonly [name: string, value: string])[]
}

/**
 * The answer to a client. What belongs to the connection is the listener's: framing, `connection`, and a `date` where there
 * is none.
 */
export interface ClientResponse {
  readonly headersSent: boolean
  /** The connection is gone, or this answer was given up: nothing more can be written. */
  readonly destroyed: boolean
  writeContinue(): void
  /** Lower-case names, byte strings. Without content-length the body is chunked, or ends with an HTTP/1.0 connection. */
  writeHead(status: number, fields: Fields, changes?: FieldChanges): void
  /** @returns whether more may follow at once; else `onDrain` tells when */
  write(chunk: Buffer): boolean
  /** The head, if it is still here, and the body's end go out in one write with `last`. */
  end(last?: Buffer): void
  /** Replaces the one listener. */
  onDrain(listener: () => void): void
  /** Cuts the connection: all that is left to say once a head is out. */
  destroy(): void
  /**
   * Called once: `sent` when the last byte was handed to the system, `cut` when the connection was gone before.
   * At most one listener; told at once where it is over already.
   */
  onOver(listener: (how: 'sent' | 'cut') => void): void
  /** The body as a stream to write to; its end is the answer's, its destruction cuts the connection. */
  bodyStream(): Writable
}

/** Answers one request. Resolves when the request is over, whatever became of it; never rejects. */
export type Handler = (request: ClientRequest, response: ClientResponse, context: HandlerContext) => Promise<void>
