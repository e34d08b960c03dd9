import type { NamedObject, RequestEvent } from '../proxy/event.js'
import { type ObjectKeyMode, objectKeyFields } from './object-name.js'

/**
 * One line of the audit log, line feed included: who did what to what, with which key version, whether it was allowed,
 * and why not. Its shape is config/audit-line.schema.json; what has no value is left out.
 *
 * @param now when the request was over
 */
export function auditLine(event: RequestEvent, objectKeys: ObjectKeyMode, now: Date): string {
  const refused = event.outcome === 'refused'
  const started = Number.isFinite(event.totalMs) ? now.getTime() - event.totalMs : now.getTime()
  return `${JSON.stringify({
    type: 'audit',
    version: 1,
    time: new Date(started).toISOString(),
    durationMs: Math.round(now.getTime() - started),
    requestId: event.requestId,
    listener: event.listener,
    clientAddress: event.remoteAddress,
    ...who(event),
    operation: event.operation,
    ...what(event, objectKeys),
    ...keys(event),
    decision: refused ? 'deny' : 'allow',
    ...(refused ? { deniedBy: event.stage } : {}),
    outcome: event.outcome,
    status: event.status,
    ...given('errorCode', event.errorCode),
    ...given('reason', event.reason),
    ...given('upstreamStatus', event.upstreamStatus),
    ...given('upstreamRequestId', event.upstreamRequestId),
    bytesIn: event.bytesIn,
    bytesOut: event.bytesOut,
  })}\n`
}

const who = ({ identity, accessKeyId, signature }: RequestEvent) => ({
  ...given('identity', identity),
  ...given('accessKeyId', accessKeyId),
  signature,
})

function what(event: RequestEvent, mode: ObjectKeyMode) {
  const { bucket, objectKey, versionId, copySource, deletes } = event
  return {
    ...given('bucket', bucket),
    ...objectKeyFields(bucket, objectKey, mode),
    ...given('versionId', versionId),
    ...(copySource === 'none'
      ? {}
      : { copySource: { bucket: copySource.bucket, ...objectOf(copySource.bucket, copySource, mode) } }),
    ...(deletes.length === 0 ? {} : { objects: deletes.map((named) => objectOf(bucket, named, mode)) }),
  }
}

const objectOf = (bucket: string, { objectKey, versionId }: NamedObject, mode: ObjectKeyMode) => ({
  ...objectKeyFields(bucket, objectKey, mode),
  ...(versionId === undefined ? {} : { versionId }),
})

function keys({ keySource, keyring, keyVersion, sourceKeyring, sourceKeyVersion }: RequestEvent) {
  return {
    ...given('keySource', keySource),
    ...(keySource === 'keyring' ? { keyring, keyVersion } : {}),
    ...given('sourceKeyring', sourceKeyring),
    ...given('sourceKeyVersion', sourceKeyVersion),
  }
}

const given = <N extends string>(name: N, value: string | number): { readonly [K in N]?: string | number } =>
  value === 'none' ? {} : ({ [name]: value } as { readonly [K in N]?: string | number })
