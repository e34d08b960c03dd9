import { readPieces } from '../at-rest.js'
import type { Answer, ObjectCall } from '../call.js'
import { checkOpens, checkReadHeaders, targetKey } from '../customer-key.js'
import { eventMessage } from '../event-stream.js'
import { Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { findObject } from '../versions.js'
import { branch, childrenOf, leaf, textOf } from '../xml.js'

const EXPRESSION = /^select\s+(\*|s\._\d+(?:\s*,\s*s\._\d+)*)\s+from\s+s3object(?:\s+s)?(?:\s+limit\s+(\d+))?\s*;?\s*$/i
const EVENT = { ':message-type': 'event' }

/**
 * Rows of a CSV without quotes: `SELECT * | s._1, s._2 FROM S3Object [s] [LIMIT n]`, answered as S3 does, in the event
 * stream. Everything else of SQL, JSON and Parquet are not built.
 *
 * @throws Refusal MissingRequiredParameter, ParseUnexpectedToken, NotImplemented
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html
 */
export async function selectObjectContent(call: ObjectCall): Promise<Answer> {
  const root = await readDocument(call, 'SelectObjectContentRequest')
  const version = findObject(call.bucket, call.objectKey, undefined)
  checkReadHeaders(call)
  const customerKey = targetKey(call)
  checkOpens(customerKey, version.protection)
  const expression = textOf(root, 'Expression')
  if (expression === '') throw new Refusal('MissingRequiredParameter')
  if (!childrenOf(root, 'InputSerialization').some((node) => childrenOf(node, 'CSV').length > 0)) {
    throw new Refusal('NotImplemented', { extra: { Header: 'InputSerialization' } })
  }
  const [, columns, limit] = EXPRESSION.exec(expression) ?? []
  if (columns === undefined) throw new Refusal('ParseUnexpectedToken')
  const text = Buffer.concat([...readPieces(version.pieces, customerKey, 0, version.size)]).toString('utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  const picked = [...columns.matchAll(/\d+/g)].map(([number]) => Number(number) - 1)
  const rows = lines.slice(0, limit === undefined ? lines.length : Number(limit)).map((line) => {
    const fields = line.replace(/\r$/, '').split(',')
    return columns === '*' ? fields.join(',') : picked.map((index) => fields[index] ?? '').join(',')
  })
  const records = Buffer.from(rows.map((row) => `${row}\n`).join(''), 'utf8')
  const sizes = leaf('BytesScanned', version.size) + leaf('BytesProcessed', version.size)
  const stats = branch('Stats', sizes, leaf('BytesReturned', records.length))
  const messages = [
    ...(records.length === 0
      ? []
      : [eventMessage({ ':event-type': 'Records', ':content-type': 'application/octet-stream', ...EVENT }, records)]),
    eventMessage({ ':event-type': 'Stats', ':content-type': 'text/xml', ...EVENT }, Buffer.from(stats)),
    eventMessage({ ':event-type': 'End', ...EVENT }),
  ]
  const bytes = Buffer.concat(messages)
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) },
    body: { type: 'bytes', size: bytes.length, bytes: [bytes] },
  }
}
