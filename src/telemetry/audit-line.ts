import type { NamedObject, RequestEvent } from '../proxy/event.js'
import { type ObjectKeyMode, clearKey, given, hashedKey } from './object-name.js'
import { isoTimes } from './iso-time.js'

const isoTime = isoTimes()

/**
 * One line of the audit log, line feed included: who did what to what, with which key version, whether it was allowed,
 * and why not. Its shape is config/audit-line.schema.json; what has no value is left out.
 *
 * @param now when the request was over
 */
export function auditLine(event: RequestEvent, objectKeys: ObjectKeyMode, now: Date): string {
  const { bucket, objectKey, copySource, deletes, keySource } = event
  const refused = event.outcome === 'refused'
  const ofKeyring = keySource === 'keyring'
  const ended = now.getTime()
  const started = Number.isFinite(event.totalMs) ? ended - event.totalMs : ended
  // One literal with all that a line can have, in their order: what is undefined JSON leaves out.
  const line = JSON.stringify({
    type: 'audit',
    version: 1,
    time: isoTime(started),
    durationMs: Math.round(ended - started),
    requestId: event.requestId,
    listener: event.listener,
    clientAddress: event.remoteAddress,
    identity: given(event.identity),
    accessKeyId: given(event.accessKeyId),
    signature: event.signature,
    operation: event.operation,
    bucket: given(bucket),
    objectKey: clearKey(objectKey, objectKeys),
    objectKeyHash: hashedKey(bucket, objectKey, objectKeys),
    versionId: given(event.versionId),
    copySource:
      copySource === 'none'
        ? undefined
        : { bucket: copySource.bucket, ...objectOf(copySource.bucket, copySource, objectKeys) },
    objects: deletes.length === 0 ? undefined : deletes.map((named) => objectOf(bucket, named, objectKeys)),
    keySource: given(keySource),
    keyring: ofKeyring ? event.keyring : undefined,
    keyVersion: ofKeyring ? event.keyVersion : undefined,
    sourceKeyring: given(event.sourceKeyring),
    sourceKeyVersion: given(event.sourceKeyVersion),
    decision: refused ? 'deny' : 'allow',
    deniedBy: refused ? event.stage : undefined,
    outcome: event.outcome,
    status: event.status,
    errorCode: given(event.errorCode),
    reason: given(event.reason),
    upstreamStatus: given(event.upstreamStatus),
    upstreamRequestId: given(event.upstreamRequestId),
    bytesIn: event.bytesIn,
    bytesOut: event.bytesOut,
  })
  return `${line}\n`
}

const objectOf = (bucket: string, { objectKey, versionId }: NamedObject, mode: ObjectKeyMode) => ({
  objectKey: clearKey(objectKey, mode),
  objectKeyHash: hashedKey(bucket, objectKey, mode),
  versionId,
})
