import { createHash } from 'node:crypto'
import { elementText, type RawRequest, type RawResponse } from '../support/raw-client.js'
import { unsignedChunks } from '../support/aws-chunked.js'
import { begin, complete, customerKey, given, keyHeaders, on, putPart, say, type Case, type Context } from './case.js'

const BODY = 'content whose MD5 is kept'
const MD5_NAME = 'x-amz-checksum-md5'
const md5 = (bytes: string | Buffer): string => createHash('md5').update(bytes).digest('base64')
const MD5 = md5(BODY)
const WRONG = md5('other content')
const COMPOSITE = `${md5(Buffer.from(MD5, 'base64'))}-1`
const MODE = { 'x-amz-checksum-mode': 'ENABLED' }

const tells = (value: string | undefined, expected = MD5): string =>
  value === undefined || value === '' ? 'none' : value === expected ? 'the MD5' : 'another'
const header = ({ headers }: RawResponse, expected?: string): string => tells(headers[MD5_NAME], expected)
const element = ({ body }: RawResponse, expected?: string): string =>
  tells(elementText(body.toString(), 'ChecksumMD5'), expected)

/** PutObject with a customer key, and what is told of its MD5 then. */
const put = (request: Omit<RawRequest, 'method' | 'path'>) => async (context: Context) => {
  const key = keyHeaders(customerKey())
  const answer = await on(context, 'PUT', { ...request, headers: { ...request.headers, ...key } })
  const head = await on(context, 'HEAD', { headers: { ...key, ...MODE } })
  if (head.status === 404) return `${say(answer)}, absent`
  const got = await on(context, 'GET', { headers: { ...key, ...MODE } })
  const range = await on(context, 'GET', { headers: { ...key, ...MODE, range: 'bytes=1-5' } })
  const silent = await on(context, 'HEAD', { headers: key })
  const same = got.body.toString() === BODY ? 'same bytes' : 'other bytes'
  const told = [answer, head, got, range, silent].map((one) => header(one)).join(' ')
  return `${say(answer)}, ${told}, ${same} ${got.headers['content-encoding'] ?? ''}`.trimEnd()
}

const trailed = (value: string): Omit<RawRequest, 'method' | 'path'> => ({
  body: unsignedChunks({ body: Buffer.from(BODY), chunkSize: 8192, trailer: { name: MD5_NAME, value } }),
  payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  headers: {
    'x-amz-decoded-content-length': String(BODY.length),
    'content-encoding': 'aws-chunked',
    'x-amz-trailer': MD5_NAME,
  },
})

/** An upload of one part, under a customer key, whose checksum is made of its parts'. */
async function upload(
  context: Context,
  algorithm: 'MD5' | 'SHA256',
  part: Omit<RawRequest, 'method' | 'path' | 'query'>,
) {
  const key = keyHeaders(customerKey())
  const asked = { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': 'COMPOSITE' }
  const uploadId = await begin(context, { ...key, ...asked })
  const sent = await putPart(context, uploadId, 1, { ...part, headers: { ...key, ...part.headers } })
  return { key, uploadId, sent, etag: sent.headers['etag'] ?? '' }
}

const uploaded = (part: Omit<RawRequest, 'method' | 'path' | 'query'>) => async (context: Context) => {
  const { key, uploadId, sent, etag } = await upload(context, 'MD5', part)
  const listed = await on(context, 'GET', { query: { uploadId }, headers: key })
  const algorithm = elementText(listed.body.toString(), 'ChecksumAlgorithm')
  const more = `<ChecksumMD5>${MD5}</ChecksumMD5>`
  const done = await complete(context, uploadId, [{ partNumber: 1, etag, more }], key)
  const head = await on(context, 'HEAD', { headers: { ...key, ...MODE } })
  const type = head.headers['x-amz-checksum-type'] ?? 'no type'
  return [
    `${say(sent)} ${header(sent)}`,
    `${say(listed)} ${algorithm === '' ? 'none' : algorithm} ${element(listed)}`,
    `${say(done)} ${element(done, COMPOSITE)}`,
    `${say(head)} ${header(head, COMPOSITE)} ${type}`,
  ].join(', ')
}

/** MD5 as an additional checksum under a customer key, in all the ways that `etag: md5` uses. */
export const MD5S: readonly Case[] = [
  { name: 'x-amz-checksum-md5', run: put({ body: BODY, headers: { [MD5_NAME]: MD5 } }) },
  {
    name: 'x-amz-checksum-md5 beside Content-MD5',
    run: put({ body: BODY, headers: { [MD5_NAME]: MD5, 'content-md5': MD5 } }),
  },
  { name: 'x-amz-checksum-md5 of something else', run: put({ body: BODY, headers: { [MD5_NAME]: WRONG } }) },
  { name: 'x-amz-checksum-md5 in a trailer', run: put(trailed(MD5)) },
  { name: 'x-amz-checksum-md5 in a trailer, of something else', run: put(trailed(WRONG)) },
  { name: 'an upload in parts with MD5s, in headers', run: uploaded({ body: BODY, headers: { [MD5_NAME]: MD5 } }) },
  { name: 'an upload in parts with MD5s, in trailers', run: uploaded(trailed(MD5)) },
  {
    name: 'UploadPart without the checksum that the upload was created with',
    run: async (context) => {
      const { sent } = await upload(context, 'SHA256', { body: BODY })
      // MinIO says a name of its own for the part.
      return say(sent).replace(/ for \S+: \(/, ' for (part): (')
    },
  },
  {
    name: 'CompleteMultipartUpload without the checksums of its parts',
    run: async (context) => {
      const sha256 = createHash('sha256').update(BODY).digest('base64')
      const part = { body: BODY, headers: { 'x-amz-checksum-sha256': sha256 } }
      const { key, uploadId, etag } = await upload(context, 'SHA256', part)
      return say(await complete(context, uploadId, [{ partNumber: 1, etag }], key))
    },
  },
  {
    name: 'a copy that is asked for MD5',
    run: async (context) => {
      const key = customerKey()
      const objectKey = `${context.objectKey}-source`
      await given(context, BODY, { key, objectKey })
      const copied = await on(context, 'PUT', {
        headers: {
          ...keyHeaders(key),
          ...keyHeaders(key, 'source'),
          'x-amz-copy-source': `/${context.bucket}/${objectKey}`,
          'x-amz-checksum-algorithm': 'MD5',
        },
      })
      const head = await on(context, 'HEAD', { headers: { ...keyHeaders(key), ...MODE } })
      return `${say(copied)} ${element(copied)}, ${header(head)}`
    },
  },
  {
    name: 'GetObjectAttributes of an object with an MD5',
    run: async (context) => {
      const key = customerKey()
      await given(context, BODY, { key, headers: { [MD5_NAME]: MD5 } })
      const headers = { ...keyHeaders(key), 'x-amz-object-attributes': 'Checksum' }
      const answer = await on(context, 'GET', { query: { attributes: '' }, headers })
      return `${say(answer)} ${element(answer)}`
    },
  },
]
