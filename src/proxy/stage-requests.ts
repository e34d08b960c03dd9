import type {
  AuthenticatedRequest,
  AuthorizedRequest,
  ClassifiedRequest,
  KeyedRequest,
  ParsedRequest,
  RewrittenRequest,
} from './messages.js'

/*
 * What the stages add to a request, with every field written down: spreading an object of so many fields takes Node 20 some three
 * microseconds, a stage. A field that is forgotten here does not compile.
 */

/** @param read query and fields, which version 2 reads otherwise than they came */
export function authenticated(
  of: ParsedRequest,
  read: Pick<ParsedRequest, 'query' | 'fields'>,
  identity: AuthenticatedRequest['identity'],
  authorization: AuthenticatedRequest['authorization'],
  verified: AuthenticatedRequest['verified'],
  payload: AuthenticatedRequest['payload'],
): AuthenticatedRequest {
  return {
    method: of.method,
    rawPath: of.rawPath,
    rawQuery: of.rawQuery,
    query: read.query,
    fields: read.fields,
    host: of.host,
    length: of.length,
    identity,
    authorization,
    verified,
    payload,
    form: 'none',
  }
}

export function classified(
  of: AuthenticatedRequest,
  fields: ClassifiedRequest['fields'],
  operation: ClassifiedRequest['operation'],
  target: ClassifiedRequest['target'],
  copySource: ClassifiedRequest['copySource'],
): ClassifiedRequest {
  return {
    method: of.method,
    rawPath: of.rawPath,
    rawQuery: of.rawQuery,
    query: of.query,
    fields,
    host: of.host,
    length: of.length,
    identity: of.identity,
    authorization: of.authorization,
    verified: of.verified,
    payload: of.payload,
    form: of.form,
    operation,
    target,
    copySource,
  }
}

export function authorized(of: ClassifiedRequest, document: AuthorizedRequest['document']): AuthorizedRequest {
  return {
    method: of.method,
    rawPath: of.rawPath,
    rawQuery: of.rawQuery,
    query: of.query,
    fields: of.fields,
    host: of.host,
    length: of.length,
    identity: of.identity,
    authorization: of.authorization,
    verified: of.verified,
    payload: of.payload,
    form: of.form,
    operation: of.operation,
    target: of.target,
    copySource: of.copySource,
    authorized: true,
    document,
  }
}

export function keyed(
  of: AuthorizedRequest,
  targetKey: KeyedRequest['targetKey'],
  sourceKey: KeyedRequest['sourceKey'],
  uploadId: KeyedRequest['uploadId'],
  uploadChecksum: KeyedRequest['uploadChecksum'],
): KeyedRequest {
  return {
    method: of.method,
    rawPath: of.rawPath,
    rawQuery: of.rawQuery,
    query: of.query,
    fields: of.fields,
    host: of.host,
    length: of.length,
    identity: of.identity,
    authorization: of.authorization,
    verified: of.verified,
    payload: of.payload,
    form: of.form,
    operation: of.operation,
    target: of.target,
    copySource: of.copySource,
    authorized: true,
    document: of.document,
    targetKey,
    sourceKey,
    uploadId,
    uploadChecksum,
  }
}

export function rewritten(
  of: KeyedRequest,
  upstreamQuery: RewrittenRequest['upstreamQuery'],
  upstreamHeaders: RewrittenRequest['upstreamHeaders'],
  upstreamBody: RewrittenRequest['upstreamBody'],
  sentMD5: RewrittenRequest['sentMD5'],
): RewrittenRequest {
  return {
    method: of.method,
    rawPath: of.rawPath,
    rawQuery: of.rawQuery,
    query: of.query,
    fields: of.fields,
    host: of.host,
    length: of.length,
    identity: of.identity,
    authorization: of.authorization,
    verified: of.verified,
    payload: of.payload,
    form: of.form,
    operation: of.operation,
    target: of.target,
    copySource: of.copySource,
    authorized: true,
    document: of.document,
    targetKey: of.targetKey,
    sourceKey: of.sourceKey,
    uploadId: of.uploadId,
    uploadChecksum: of.uploadChecksum,
    upstreamQuery,
    upstreamHeaders,
    upstreamBody,
    sentMD5,
  }
}
