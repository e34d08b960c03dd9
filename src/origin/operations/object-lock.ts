import { emptyAnswer, xmlAnswer, type Answer, type BucketCall, type Call, type ObjectCall } from '../call.js'
import type { BucketState, ObjectLock, Version } from '../model.js'
import { invalidArgument, Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { findObject } from '../versions.js'
import { childrenOf, document, leaf, textOf } from '../xml.js'

const RETAIN_UNTIL = 'x-amz-object-lock-retain-until-date'
const IN_THE_PAST = 'The retain until date must be in the future!'
const MISSING = 'Bucket is missing Object Lock Configuration'

export function getObjectLockConfiguration({ bucket }: BucketCall): Answer {
  if (!bucket.objectLock)
    throw new Refusal('ObjectLockConfigurationNotFoundError', { extra: { BucketName: bucket.name } })
  return xmlAnswer(document('ObjectLockConfiguration', leaf('ObjectLockEnabled', 'Enabled')))
}

/** Turns it on; default retention is not built. @throws Refusal InvalidBucketState, NotImplemented, MalformedXML */
export async function putObjectLockConfiguration(call: BucketCall): Promise<Answer> {
  const root = await readDocument(call, 'ObjectLockConfiguration')
  if (textOf(root, 'ObjectLockEnabled') !== 'Enabled') throw new Refusal('MalformedXML')
  if (childrenOf(root, 'Rule').length > 0) throw new Refusal('NotImplemented', { extra: { Header: 'Rule' } })
  if (call.bucket.versioning !== 'Enabled') {
    const message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
    throw new Refusal('InvalidBucketState', { message })
  }
  call.bucket.objectLock = true
  return emptyAnswer(200)
}

export function getObjectRetention(call: ObjectCall): Answer {
  const { lock } = lockedObject(call)
  if (lock.mode === 'none') throw noLock()
  return xmlAnswer(document('Retention', leaf('Mode', lock.mode), leaf('RetainUntilDate', lock.until.toISOString())))
}

/** @throws Refusal AccessDenied (what is retained may only be retained longer, or GOVERNANCE be bypassed), MalformedXML */
export async function putObjectRetention(call: ObjectCall): Promise<Answer> {
  const root = await readDocument(call, 'Retention')
  const version = lockedObject(call)
  const mode = textOf(root, 'Mode')
  const until = new Date(textOf(root, 'RetainUntilDate'))
  if ((mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') || Number.isNaN(until.getTime()))
    throw new Refusal('MalformedXML')
  if (until <= call.state.now()) throw invalidArgument('RetainUntilDate', until.toISOString(), IN_THE_PAST)
  const { lock } = version
  const shortens = lock.mode !== 'none' && (until < lock.until || (lock.mode === 'COMPLIANCE' && mode !== 'COMPLIANCE'))
  if (shortens && (lock.mode === 'COMPLIANCE' || !bypasses(call)) && lock.until > call.state.now()) throw locked()
  version.lock = { ...lock, mode, until }
  return emptyAnswer(200)
}

export function getObjectLegalHold(call: ObjectCall): Answer {
  const { lock } = lockedObject(call)
  if (lock.hold === 'none') throw noLock()
  return xmlAnswer(document('LegalHold', leaf('Status', lock.hold)))
}

export async function putObjectLegalHold(call: ObjectCall): Promise<Answer> {
  const root = await readDocument(call, 'LegalHold')
  const version = lockedObject(call)
  const status = textOf(root, 'Status')
  if (status !== 'ON' && status !== 'OFF') throw new Refusal('MalformedXML')
  version.lock = { ...version.lock, hold: status }
  return emptyAnswer(200)
}

/**
 * What a write's `x-amz-object-lock-*` headers ask for; a date must be in the future.
 *
 * @throws Refusal InvalidRequest, InvalidArgument
 */
export function lockOf({ bucket, fields, state }: Call & { readonly bucket: BucketState }): ObjectLock {
  const mode = fields.get('x-amz-object-lock-mode')
  const date = fields.get(RETAIN_UNTIL)
  const hold = fields.get('x-amz-object-lock-legal-hold')
  if (mode === undefined && date === undefined && hold === undefined) return NO_LOCK
  if (!bucket.objectLock) throw new Refusal('InvalidRequest', { message: MISSING })
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF') {
    throw invalidArgument('x-amz-object-lock-legal-hold', hold, 'Legal Hold must be either of ON or OFF')
  }
  const kept = hold ?? 'none'
  if (mode === undefined && date === undefined) return { ...NO_LOCK, hold: kept }
  if (mode === undefined || date === undefined) {
    const message = 'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied'
    throw invalidArgument('x-amz-object-lock-mode', mode ?? 'null', message)
  }
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') {
    throw invalidArgument('x-amz-object-lock-mode', mode, 'Unknown wormMode directive.')
  }
  const until = new Date(date)
  if (Number.isNaN(until.getTime())) {
    throw invalidArgument(RETAIN_UNTIL, date, 'The retain until date must be provided in ISO 8601 format')
  }
  if (until <= state.now()) throw invalidArgument(RETAIN_UNTIL, date, IN_THE_PAST)
  return { mode, until, hold: kept }
}

export const NO_LOCK: ObjectLock = { mode: 'none', until: new Date(0), hold: 'none' }

/** What reads say of it. */
export function lockHeaders({ mode, until, hold }: ObjectLock): Record<string, string> {
  return {
    ...(mode === 'none'
      ? {}
      : { 'x-amz-object-lock-mode': mode, 'x-amz-object-lock-retain-until-date': until.toISOString() }),
    ...(hold === 'none' ? {} : { 'x-amz-object-lock-legal-hold': hold }),
  }
}

/** Whether a version may be deleted for good. @throws Refusal AccessDenied */
export function checkUnlocked(call: Call, version: Version | undefined): void {
  if (version?.type !== 'object') return
  const { mode, until, hold } = version.lock
  const retained = until > call.state.now() && (mode === 'COMPLIANCE' || (mode === 'GOVERNANCE' && !bypasses(call)))
  if (retained || hold === 'ON') throw locked()
}

const bypasses = ({ fields }: Call): boolean =>
  fields.get('x-amz-bypass-governance-retention')?.toLowerCase() === 'true'

function lockedObject(call: ObjectCall) {
  if (!call.bucket.objectLock) throw new Refusal('InvalidRequest', { message: MISSING })
  return findObject(call.bucket, call.objectKey, call.query.get('versionId'))
}

const locked = (): Refusal =>
  new Refusal('AccessDenied', { message: 'Access Denied because object protected by object lock.' })
const noLock = (): Refusal => new Refusal('NoSuchObjectLockConfiguration')
