import type { Piece } from './kept-pieces.js'
import type { RequestEvent } from '../proxy/event.js'
import { isPlain } from './plain-text.js'
import { numberText } from './number-text.js'

// What of a request's line is often as it was in the one before, in the order of the line. The gaps between them are texts: the first
// and the third piece begin with the quote that ends one, the second ends with the quote that begins one.

export const callerPiece = (remoteAddress: string, listener: string, identity: string): Piece => ({
  json: `"${text('listener', listener)}${text('remoteAddress', remoteAddress)}${text('identity', identity)}`,
  plain: isPlain(remoteAddress + listener + identity),
})

export const operationPiece = (operation: string, method: string, signature: RequestEvent['signature']): Piece => ({
  // A name that redaction does not take for a signature itself.
  json: `${given('signedWith', signature)}${text('method', method)}${text('operation', operation)},"bucket":"`,
  plain: isPlain(operation + method),
})

export const endPiece = (
  status: number,
  outcome: RequestEvent['outcome'],
  upstreamStatus: RequestEvent['upstreamStatus'],
  errorCode = 'none',
  reason = 'none',
): Piece => ({
  json:
    `","status":${numberText(status)}${text('outcome', outcome)}${given('errorCode', errorCode)}${given('reason', reason)}` +
    (upstreamStatus === 'none' ? '' : `,"upstreamStatus":${numberText(upstreamStatus)}`),
  plain: isPlain(errorCode + reason),
})

export const keyPiece = (keyVersion: string, keyring: string, attempts: number): Piece => ({
  json: `,"attempts":${numberText(attempts)}${given('keyring', keyring)}${given('keyVersion', keyVersion)},"bytesIn":`,
  plain: isPlain(keyVersion + keyring),
})

const text = (name: string, value: string): string => `,"${name}":${JSON.stringify(value)}`
const given = (name: string, value: string | 'none'): string => (value === 'none' ? '' : text(name, value))
