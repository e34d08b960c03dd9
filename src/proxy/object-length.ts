import type { ParsedRequest } from './messages.js'
import { S3Error } from '../s3/error.js'

/** Length of a body without framing, in bytes. Chunked transfer needs to tell it in x-amz-decoded-content-length. @throws S3Error MissingContentLength */
export function objectLength({ fields, length }: Pick<ParsedRequest, 'fields' | 'length'>): number {
  if (length !== 'chunked') return length
  const declared = fields.get('x-amz-decoded-content-length')
  if (declared === undefined || !/^\d{1,15}$/.test(declared)) throw new S3Error('MissingContentLength')
  return Number(declared)
}
