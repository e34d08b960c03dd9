import type { Config } from '../config/types.js'
import type { ServerOptions } from 'node:http'

/**
 * Every limit of node:http, set on purpose. There is no limit on how long a request takes (node's default of five
 * minutes ends uploads of large objects): heads have theirs, and a silent client has one (stalled.ts).
 */
export const httpOptions = ({ headersMs, keepAliveMs }: Config['timeouts']): ServerOptions => ({
  headersTimeout: headersMs,
  requestTimeout: 0,
  keepAliveTimeout: keepAliveMs,
  connectionsCheckingInterval: Math.min(5_000, Math.max(50, Math.floor(headersMs / 4))),
  /** Presigned URLs with a session token take some 4 KiB, user metadata 2 KiB; S3 itself stops at 8 KiB of fields. */
  maxHeaderSize: 32 * 1024,
  insecureHTTPParser: false,
  /** head-fault.ts requires it: after node's own refusal a pipelined request would still be served. */
  requireHostHeader: false,
  noDelay: true,
  /** TCP's probes find peers that vanished without a word. */
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
})
