import { createHash } from 'node:crypto'
import type { RawResponse } from '../support/raw-client.js'
import { customerKey, given, keyHeaders, on, say, type Case, type Context } from './case.js'

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html and API_SelectObjectContent.html

const restore = (context: Context, objectKey = context.objectKey) => {
  const body = '<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Days>2</Days></RestoreRequest>'
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') }
  return on(context, 'POST', { objectKey, query: { restore: '' }, body, headers })
}

const select = (context: Context, expression: string, headers: Record<string, string> = {}) => {
  const what = expression === '' ? '' : `<Expression>${expression}</Expression><ExpressionType>SQL</ExpressionType>`
  const csv = '<InputSerialization><CSV/></InputSerialization><OutputSerialization><CSV/></OutputSerialization>'
  const body = `<SelectObjectContentRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${what}${csv}</SelectObjectContentRequest>`
  return on(context, 'POST', { query: { select: '', 'select-type': '2' }, body, headers })
}
/** Ceph 16 sends bytes behind the end of some of its answers. */
const sayHttp = (asked: Promise<RawResponse>): Promise<string> => asked.then(say, () => 'no HTTP')
const QUERY = 'SELECT s._2 FROM S3Object s'
const TABLE = 'a,1\nb,2\nc,3\n'

/** The payloads of an event stream's records: what stands between the headers and the CRC of each message. */
function rowsOf(bytes: Buffer): string {
  let rows = ''
  for (let at = 0; at + 16 <= bytes.length;) {
    const total = bytes.readUInt32BE(at)
    const headers = bytes.readUInt32BE(at + 4)
    if (total < 16 || at + total > bytes.length) return 'no event stream'
    const message = bytes.subarray(at, at + total)
    if (message.includes('Records')) rows += message.toString('utf8', 12 + headers, total - 4)
    at += total
  }
  return rows.replaceAll('\n', ' ').trim()
}

export const ARCHIVES: readonly Case[] = [
  {
    name: 'RestoreObject of an object that is in no archive',
    run: async (context) => {
      await given(context, 'warm')
      return say(await restore(context))
    },
  },
  { name: 'RestoreObject where there is none', run: async (context) => say(await restore(context)) },
  {
    name: 'an archived SSE-C object is not read until it is restored',
    run: async (context) => {
      const key = customerKey()
      const archived = { ...keyHeaders(key), 'x-amz-storage-class': 'GLACIER' }
      const put = await on(context, 'PUT', { body: 'cold', headers: archived })
      const cold = await on(context, 'GET', { headers: keyHeaders(key) })
      const asked = await restore(context)
      return `${say(put)}, ${cold.status} ${cold.code}, ${asked.status} ${asked.code}`.trim()
    },
  },
  {
    name: 'SelectObjectContent of an SSE-C object with its key',
    run: async (context) => {
      const key = customerKey()
      await given(context, TABLE, { key })
      const answer = await select(context, QUERY, keyHeaders(key))
      return answer.status === 200 ? `200 ${rowsOf(answer.body)}` : say(answer)
    },
  },
  {
    name: 'SelectObjectContent of a plain object',
    run: async (context) => {
      await given(context, TABLE)
      const answer = await select(context, QUERY)
      return answer.status === 200 ? `200 ${rowsOf(answer.body)}` : say(answer)
    },
  },
  {
    name: 'SelectObjectContent of an SSE-C object without key',
    run: async (context) => {
      await given(context, TABLE, { key: customerKey() })
      return sayHttp(select(context, QUERY))
    },
  },
  {
    name: 'SelectObjectContent of an SSE-C object with another key',
    run: async (context) => {
      await given(context, TABLE, { key: customerKey() })
      return sayHttp(select(context, QUERY, keyHeaders(customerKey())))
    },
  },
  { name: 'SelectObjectContent where there is none', run: async (context) => say(await select(context, QUERY)) },
  {
    name: 'SelectObjectContent without an expression',
    run: async (context) => {
      await given(context, TABLE)
      return say(await select(context, ''))
    },
  },
]
