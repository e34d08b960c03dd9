import { type ObjectKeyMode, clearKey, hashedKey } from './object-name.js'
import { callerPiece, endPiece, keyPiece, operationPiece } from './access-pieces.js'
import { mayHoldSecret, redact } from './redact.js'
import { msText, numberText } from './number-text.js'
import type { RequestEvent } from '../proxy/event.js'
import type { RequestLevel, RootLogger } from './logger.js'
import { isPlain } from './plain-text.js'
import { keptPieces } from './kept-pieces.js'

/**
 * Writes lines of requests, each the JSON that JSON.stringify would make of its fields in their order, without those that have no value:
 * by hand, because there is one for each request, and most of it is as it was in another. Their names are fixed and none is a secret's,
 * so that only texts that someone chose need a look.
 */
export function accessLines(
  mode: ObjectKeyMode,
  write: RootLogger['writeLine'],
): (level: RequestLevel, stamp: string, event: RequestEvent) => void {
  const callers = keptPieces(callerPiece)
  const operations = keptPieces(operationPiece)
  const ends = keptPieces(endPiece)
  const keys = keptPieces(keyPiece)
  return (level, stamp, event) => {
    const { requestId, bucket, trace, outcome, status, errorCode, reason, upstreamStatus, upstreamRequestId } = event
    const objectKey = clearKey(event.objectKey, mode)
    const objectKeyHash = hashedKey(bucket, event.objectKey, mode)
    const caller = callers(event.remoteAddress, event.listener, event.identity)
    const operation = operations(event.operation, event.method, event.signature)
    const ended =
      errorCode === 'none' && reason === 'none'
        ? ends(status, outcome, upstreamStatus)
        : endPiece(status, outcome, upstreamStatus, errorCode, reason)
    const key = keys(event.keyVersion, event.keyring, event.attempts)

    let fresh = requestId + bucket + upstreamRequestId
    if (trace !== 'none') fresh += trace.traceId
    if (objectKey !== undefined) fresh += objectKey
    const plain = isPlain(fresh)
    const within = plain ? asItIs : escaped

    let line = `${stamp},"requestId":"${within(requestId)}${caller.json}${operation.json}${within(bucket)}`
    if (trace !== 'none') line += `","traceId":"${within(trace.traceId)}`
    if (objectKey !== undefined) line += `","objectKey":"${within(objectKey)}`
    if (objectKeyHash !== undefined) line += `","objectKeyHash":"${objectKeyHash}`
    line += ended.json
    if (upstreamRequestId !== 'none') line += `,"upstreamRequestId":"${within(upstreamRequestId)}"`
    line += `${key.json}${numberText(event.bytesIn)},"bytesOut":${numberText(event.bytesOut)}`
    line += `,"keyMs":${msText(event.keyMs)},"firstByteMs":${msText(event.firstByteMs)}`
    line += `,"totalMs":${msText(event.totalMs)},"msg":"request"}`

    if (plain && caller.plain && operation.plain && ended.plain && key.plain) write(level, line, line.length)
    else {
      const clean = mayHoldSecret(line) ? JSON.stringify(redact(JSON.parse(line))) : line
      write(level, clean, Buffer.byteLength(clean))
    }
  }
}

const asItIs = (text: string): string => text
/** As JSON has it between quotes. */
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1)
