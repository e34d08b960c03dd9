import { UpstreamFailure, type UpstreamFailureReason } from './types.js'

/** How far a connection had come when it failed. */
export type ConnectionPhase = 'connecting' | 'connected'

/** What a peer that closed a connection looks like from here, 'socket hang up' of node:http included. */
const RESETS: readonly string[] = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE']

/** The code that node gives its errors; of several attempts to connect (an AggregateError), the one it shows. */
export function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

export const isReset = (error: unknown): boolean => RESETS.includes(codeOf(error))

/** An error of node's sockets, TLS or HTTP parser, as the failure that the pipeline tells apart. */
export function upstreamFailure(error: unknown, phase: ConnectionPhase, sent: boolean): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error
  return new UpstreamFailure(reasonOf(error, phase), sent, error)
}

function reasonOf(error: unknown, phase: ConnectionPhase): UpstreamFailureReason {
  const code = codeOf(error)
  if (code.startsWith('HPE_') || code.startsWith('ERR_HTTP_') || code.startsWith('ERR_INVALID_')) return 'protocol'
  if (code === 'ERR_UNESCAPED_CHARACTERS') return 'protocol'
  if (code === 'EPROTO' || /^ERR_(TLS|SSL|OSSL)_/.test(code)) return 'tls'
  if (phase === 'connected') return 'reset'
  // Errors of name look-up and of TCP say which system call failed; those of verification (CERT_HAS_EXPIRED,
  // UNABLE_TO_VERIFY_LEAF_SIGNATURE and some forty more of OpenSSL) do not.
  const isSystemCall = typeof error === 'object' && error !== null && 'syscall' in error
  return isSystemCall || isReset(error) || error instanceof AggregateError ? 'connect' : 'tls'
}
