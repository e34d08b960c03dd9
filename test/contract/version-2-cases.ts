import { elementText, type RawRequest } from '../support/raw-client.js'
import { begin, complete, customerKey, given, keyHeaders, on, say, sayAtRest, sayBody, sayProof } from './case.js'
import type { Case, Context } from './case.js'

const HOUR_MS = 3_600_000
const inAnHour = () => ({ expires: Math.floor(Date.now() / 1000) + 3600 })

type Asked = Omit<RawRequest, 'method' | 'path'>

/** A PutObject with a version-2 header: what is said, and what is at rest. */
const put = (request: Asked) => async (context: Context) => {
  const answer = await on(context, 'PUT', { version2: 'header', body: 'data', ...request })
  return `${say(answer)}, ${await sayAtRest(context, 'data')}`
}
const get =
  (request: (context: Context) => Asked = () => ({})) =>
  async (context: Context) => {
    await given(context, 'data')
    return sayBody(await on(context, 'GET', { version2: inAnHour(), ...request(context) }), 'data')
  }

/** Signature version 2, in the header and in the query. */
export const VERSION_2: readonly Case[] = [
  { name: 'version 2: PutObject', run: put({ headers: { 'content-type': 'text/plain', 'x-amz-meta-b': '1' } }) },
  {
    name: 'version 2: PutObject with a customer key',
    run: async (context) => {
      const key = customerKey()
      const answer = await on(context, 'PUT', { version2: 'header', body: 'data', headers: keyHeaders(key) })
      return `${sayProof(answer, key)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'version 2: x-amz-date in place of Date',
    run: put({ headers: { 'x-amz-date': new Date().toUTCString(), date: 'Thu, 01 Jan 1970 00:00:00 GMT' } }),
  },
  { name: 'version 2: an unknown access key', run: put({ accessKeyId: 'AKIANOBODY0000000000' }) },
  { name: 'version 2: another secret', run: put({ secretAccessKey: 'not-the-secret' }) },
  {
    name: 'version 2: a clock 20 minutes behind',
    run: async (context) => put({ date: new Date(Date.now() - HOUR_MS / 3) })(context),
  },
  { name: 'version 2: no date', run: put({ headers: { date: '' } }) },
  {
    name: 'version 2: a header without a signature',
    run: put({ unsigned: { authorization: 'AWS AKIANOBODY0000000000' } }),
  },
  { name: 'version 2: an x-amz-* header that is not signed', run: put({ unsigned: { 'x-amz-meta-a': 'b' } }) },
  { name: 'version 2: a Content-Type that is not signed', run: put({ unsigned: { 'content-type': 'text/html' } }) },
  {
    name: 'version 2: a sub-resource that is not signed',
    run: put({ tamper: (head) => void (head.path += '?tagging') }),
  },
  {
    name: 'version 2: a parameter of a listing that is not signed',
    run: async (context) => {
      await given(context, 'data')
      const answer = await context.raw.send({
        method: 'GET',
        path: `/${context.bucket}/`,
        version2: 'header',
        tamper: (head) => void (head.path += `?prefix=${context.objectKey}`),
      })
      return `${say(answer)}, ${elementText(answer.body.toString(), 'Key') === context.objectKey ? 'the object' : 'something else'}`
    },
  },
  {
    name: 'version 2: a bucket without its slash, signed with it',
    run: async ({ raw, bucket }) =>
      say(await raw.send({ method: 'GET', path: `/${bucket}`, resource: `/${bucket}/`, version2: 'header' })),
  },
  {
    name: 'version 2: a bucket without its slash, signed without it',
    run: async ({ raw, bucket }) => say(await raw.send({ method: 'GET', path: `/${bucket}`, version2: 'header' })),
  },
  {
    name: 'version 2: a multipart upload',
    run: async (context) => {
      const started = await on(context, 'POST', { version2: 'header', query: { uploads: '' } })
      const uploadId = elementText(started.body.toString(), 'UploadId')
      const part = await on(context, 'PUT', { version2: 'header', query: { partNumber: '1', uploadId }, body: 'data' })
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers['etag']?.replaceAll('"', '') ?? ''}</ETag></Part></CompleteMultipartUpload>`
      const done = await on(context, 'POST', { version2: 'header', query: { uploadId }, body })
      return `${say(started)}, ${say(part)}, ${say(done)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'version 2: an upload id that was exchanged after signing',
    run: async (context) => {
      const [one, two] = [await begin(context), await begin(context)]
      const part = await on(context, 'PUT', {
        version2: 'header',
        query: { partNumber: '1', uploadId: one },
        body: 'data',
        tamper: (head) => void (head.path = head.path.replace(encodeURIComponent(one), encodeURIComponent(two))),
      })
      const completed = await complete(context, two, [{ partNumber: 1, etag: part.headers['etag'] ?? '"x"' }])
      return `${say(part)}, ${completed.status === 200 ? 'completed' : 'nothing to complete'}`
    },
  },
  {
    name: 'version 2: SignatureDoesNotMatch tells what was to be signed',
    run: async (context) => {
      const answer = await on(context, 'GET', { version2: 'header', secretAccessKey: 'not-the-secret' })
      const told = elementText(answer.body.toString(), 'StringToSign').replace(/\w{3}, .* GMT/, '(date)')
      return `${answer.code}, ${told === '' ? 'nothing' : JSON.stringify(told)}`
    },
  },
  { name: 'version 2: a presigned GetObject', run: get() },
  {
    name: 'version 2: a presigned GetObject that has expired',
    run: get(() => ({ version2: { expires: Math.floor(Date.now() / 1000) - 60 } })),
  },
  {
    name: 'version 2: a presigned GetObject of another secret',
    run: get(() => ({ secretAccessKey: 'not-the-secret' })),
  },
  {
    name: 'version 2: a presigned GetObject whose end was moved',
    run: get(() => ({ tamper: (head) => void (head.path = head.path.replace(/(Expires=)(\d)/, '$19')) })),
  },
  {
    name: 'version 2: a presigned GetObject as DeleteObject',
    run: async (context) => {
      await given(context, 'data')
      const now = inAnHour()
      let path = ''
      await on(context, 'GET', { version2: now, tamper: (head) => void (path = head.path) })
      const answer = await on(context, 'DELETE', { anonymous: true, tamper: (head) => void (head.path = path) })
      return `${say(answer)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'version 2: a presigned GetObject without Expires',
    run: get(() => ({ tamper: (head) => void (head.path = head.path.replace(/&Expires=\d+/, '')) })),
  },
  {
    name: 'version 2: a presigned GetObject with another Content-Type in its answer',
    run: async (context) => {
      await given(context, 'data')
      const answer = await on(context, 'GET', {
        version2: inAnHour(),
        query: { 'response-content-type': 'text/x;a="b c"' },
      })
      return `${say(answer)}, ${answer.headers['content-type'] ?? ''}`
    },
  },
  {
    name: 'version 2: a presigned PutObject with x-amz-meta-* in its query',
    run: async (context) => {
      const query = { 'x-amz-meta-colour': 'light blue' }
      const answer = await on(context, 'PUT', {
        version2: inAnHour(),
        body: 'data',
        headers: query,
        tamper: (head) => {
          delete head.headers['x-amz-meta-colour']
          head.path += '&x-amz-meta-colour=light%20blue'
        },
      })
      const { headers } = await on(context, 'GET')
      return `${say(answer)}, ${headers['x-amz-meta-colour'] ?? 'no colour'}`
    },
  },
  {
    name: 'version 2: a presigned PutObject, x-amz-meta-* added to its query',
    run: async (context) => {
      const answer = await on(context, 'PUT', {
        version2: inAnHour(),
        body: 'data',
        tamper: (head) => void (head.path += '&x-amz-meta-colour=light%20blue'),
      })
      const { headers } = await on(context, 'GET')
      return `${say(answer)}, ${headers['x-amz-meta-colour'] ?? 'no colour'}`
    },
  },
  {
    name: 'version 2: a presigned PutObject with a customer key',
    run: async (context) => {
      const key = customerKey()
      const answer = await on(context, 'PUT', { version2: inAnHour(), body: 'data', headers: keyHeaders(key) })
      return `${sayProof(answer, key)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'version 2: a presigned GetObject beside a version-4 header',
    run: async (context) => {
      await given(context, 'data')
      let query = ''
      await on(context, 'GET', { version2: inAnHour(), tamper: (head) => void (query = head.path.split('?')[1]!) })
      const parameters = Object.fromEntries(new URLSearchParams(query))
      return say(await on(context, 'GET', { query: parameters }))
    },
  },
  {
    name: 'version 2: virtual-hosted style',
    run: async (context) => {
      await given(context, 'data')
      const host = `${context.bucket}.${context.server.baseDomain}:${context.server.port}`
      const resource = `/${context.bucket}/${context.objectKey}`
      const request = { method: 'GET', path: `/${context.objectKey}`, host, resource, version2: 'header' as const }
      return sayBody(await context.raw.send(request), 'data')
    },
  },
]
