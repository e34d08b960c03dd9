import { createHash, randomBytes } from 'node:crypto'
import { Upload } from '@aws-sdk/lib-storage'
import { elementText } from '../support/raw-client.js'
import {
  begin,
  complete,
  customerKey,
  FIVE_MIB,
  given,
  keyHeaders,
  on,
  putPart,
  say,
  sayAtRest,
  sayBody,
  sayProof,
  sdkKey,
  type Case,
  type Context,
} from './case.js'

const TAIL = 'the last part'
const SUM = { 'x-amz-checksum-algorithm': 'SHA256' }
const sha256 = (body: string): string => createHash('sha256').update(body).digest('base64')

/** An upload that was created with or without a key, and a part that comes with another or none. */
const partAfter = (createKey: boolean, partKey: 'same' | 'other' | 'none' | 'one') => async (context: Context) => {
  const key = customerKey()
  const uploadId = await begin(context, createKey ? keyHeaders(key) : {})
  const headers = { same: keyHeaders(key), other: keyHeaders(customerKey()), one: keyHeaders(key), none: {} }[partKey]
  return sayProof(await putPart(context, uploadId, 1, { body: TAIL, headers }), key)
}

/** Completes an upload of one part whose checksums S3 keeps, or asks for its parts. */
const withChecksum = (what: 'complete' | 'list', later: 'key' | 'other' | 'none') => async (context: Context) => {
  const key = customerKey()
  const uploadId = await begin(context, { ...keyHeaders(key), ...SUM })
  const headers = { ...keyHeaders(key), 'x-amz-checksum-sha256': sha256(TAIL) }
  const etag = (await putPart(context, uploadId, 1, { body: TAIL, headers })).headers['etag'] ?? ''
  const laterHeaders = { key: keyHeaders(key), other: keyHeaders(customerKey()), none: {} }[later]
  if (what === 'list') return say(await on(context, 'GET', { query: { uploadId }, headers: laterHeaders }))
  const more = `<ChecksumSHA256>${sha256(TAIL)}</ChecksumSHA256>`
  return say(await complete(context, uploadId, [{ partNumber: 1, etag, more }], laterHeaders))
}

/** An upload of small plain parts, completed with a list of parts that was spoiled. */
const completeWith =
  (uploaded: 1 | 2, parts: (etag: string) => readonly { partNumber: number; etag: string }[]) =>
  async (context: Context) => {
    const uploadId = await begin(context)
    const etag = (await putPart(context, uploadId, 1, { body: TAIL })).headers['etag'] ?? ''
    if (uploaded === 2) await putPart(context, uploadId, 2, { body: TAIL })
    return say(await complete(context, uploadId, parts(etag)))
  }

export const MULTIPART: readonly Case[] = [
  {
    name: 'a multipart upload with a customer key',
    run: async (context) => {
      const key = customerKey()
      const headers = keyHeaders(key)
      const created = await on(context, 'POST', { query: { uploads: '' }, headers })
      const uploadId = elementText(created.body.toString(), 'UploadId')
      const first = randomBytes(FIVE_MIB)
      const one = await putPart(context, uploadId, 1, { body: first, headers })
      const two = await putPart(context, uploadId, 2, { body: TAIL, headers })
      const done = await complete(context, uploadId, [
        { partNumber: 1, etag: one.headers['etag'] ?? '' },
        { partNumber: 2, etag: two.headers['etag'] ?? '' },
      ])
      const whole = Buffer.concat([first, Buffer.from(TAIL)])
      const got = await on(context, 'GET', { headers })
      const across = await on(context, 'GET', {
        headers: { ...headers, range: `bytes=${FIVE_MIB - 3}-${FIVE_MIB + 2}` },
      })
      const etag = elementText(done.body.toString(), 'ETag')
      const dashed = /^"[0-9a-f]{32}-2"$/.test(etag) ? 'ETag with -2' : etag === '' ? 'no ETag' : 'other ETag'
      return [
        ...[created, one, two].map((answer) => sayProof(answer, key)),
        `${say(done)} ${dashed}`,
        sayBody(got, whole),
        sayBody(across, whole.subarray(FIVE_MIB - 3, FIVE_MIB + 3)),
        await sayAtRest(context, whole),
      ].join(', ')
    },
  },
  {
    name: 'a multipart upload of the SDK with a customer key',
    run: async (context) => {
      const key = customerKey()
      const body = randomBytes(FIVE_MIB + 100)
      const params = { Bucket: context.bucket, Key: context.objectKey, Body: body, ...sdkKey(key) }
      await new Upload({ client: context.sdk, params, partSize: FIVE_MIB }).done()
      return sayBody(await on(context, 'GET', { headers: keyHeaders(key) }), body)
    },
  },
  { name: 'UploadPart with the key given at create', run: partAfter(true, 'same') },
  { name: 'UploadPart, another key than at create', run: partAfter(true, 'other') },
  { name: 'UploadPart without key, created with one', run: partAfter(true, 'none') },
  { name: 'UploadPart with a key, created without', run: partAfter(false, 'one') },
  { name: 'CompleteMultipartUpload of parts with checksums, with the key', run: withChecksum('complete', 'key') },
  { name: 'CompleteMultipartUpload of parts with checksums, without key', run: withChecksum('complete', 'none') },
  { name: 'CompleteMultipartUpload of parts with checksums, another key', run: withChecksum('complete', 'other') },
  { name: 'ListParts of parts with checksums, with the key', run: withChecksum('list', 'key') },
  { name: 'ListParts of parts with checksums, without key', run: withChecksum('list', 'none') },
  {
    name: 'UploadPart with a checksum that the upload was not created for',
    run: async (context) => {
      const uploadId = await begin(context)
      return say(
        await putPart(context, uploadId, 1, { body: TAIL, headers: { 'x-amz-checksum-sha256': sha256(TAIL) } }),
      )
    },
  },
  {
    name: 'parts of an SSE-C object by number',
    run: async (context) => {
      const key = customerKey()
      const headers = keyHeaders(key)
      const uploadId = await begin(context, headers)
      const first = Buffer.alloc(FIVE_MIB, 1)
      const one = await putPart(context, uploadId, 1, { body: first, headers })
      const two = await putPart(context, uploadId, 2, { body: TAIL, headers })
      const etags = [one, two].map((answer) => answer.headers['etag'] ?? '')
      await complete(
        context,
        uploadId,
        etags.map((etag, index) => ({ partNumber: index + 1, etag })),
      )
      const second = await on(context, 'GET', { headers, query: { partNumber: '2' } })
      const third = await on(context, 'HEAD', { headers, query: { partNumber: '3' } })
      const count = second.headers['x-amz-mp-parts-count'] ?? 'no count'
      return `${sayBody(second, TAIL)}, ${count}, ${second.headers['content-range'] ?? 'no range'}, ${say(third)}`
    },
  },
  {
    name: 'a part is uploaded again with other bytes',
    run: async (context) => {
      const key = customerKey()
      const headers = keyHeaders(key)
      const uploadId = await begin(context, headers)
      const old = (await putPart(context, uploadId, 1, { body: 'first try', headers })).headers['etag'] ?? ''
      const etag = (await putPart(context, uploadId, 1, { body: TAIL, headers })).headers['etag'] ?? ''
      const refused = await complete(context, uploadId, [{ partNumber: 1, etag: old }])
      const done = await complete(context, uploadId, [{ partNumber: 1, etag }])
      return `${refused.status} ${refused.code}, ${done.status}, ${sayBody(await on(context, 'GET', { headers }), TAIL)}`
    },
  },
  {
    name: 'CompleteMultipartUpload with bare ETags',
    run: completeWith(1, (etag) => [{ partNumber: 1, etag: etag.replaceAll('"', '') }]),
  },
  {
    name: 'CompleteMultipartUpload that leaves a part out',
    run: completeWith(2, (etag) => [{ partNumber: 1, etag }]),
  },
  { name: 'CompleteMultipartUpload, another ETag', run: completeWith(1, () => [{ partNumber: 1, etag: '"0"' }]) },
  {
    name: 'CompleteMultipartUpload, a part that is not there',
    run: completeWith(1, (etag) => [{ partNumber: 9, etag }]),
  },
  {
    name: 'CompleteMultipartUpload, parts in the wrong order',
    run: completeWith(2, (etag) => [
      { partNumber: 2, etag },
      { partNumber: 1, etag },
    ]),
  },
  {
    name: 'CompleteMultipartUpload, a first part under 5 MiB',
    run: completeWith(2, (etag) => [
      { partNumber: 1, etag },
      { partNumber: 2, etag },
    ]),
  },
  {
    name: 'CompleteMultipartUpload of an upload that is not there',
    run: async (context) => say(await complete(context, 'no-such-upload', [{ partNumber: 1, etag: '"0"' }])),
  },
  {
    name: 'AbortMultipartUpload',
    run: async (context) => {
      const uploadId = await begin(context, keyHeaders(customerKey()))
      const aborted = await on(context, 'DELETE', { query: { uploadId } })
      const list = await on(context, 'GET', { query: { uploadId } })
      return `${aborted.status}, ${list.status} ${list.code}, ${await sayAtRest(context, '')}`
    },
  },
  {
    name: 'ListMultipartUploads and pages of ListParts',
    run: async (context) => {
      const uploadId = await begin(context)
      for (const partNumber of [1, 2, 5]) await putPart(context, uploadId, partNumber, { body: TAIL })
      const page = async (marker: string) =>
        (
          await on(context, 'GET', { query: { uploadId, 'max-parts': '2', 'part-number-marker': marker } })
        ).body.toString()
      const numbers = (text: string): string =>
        [...text.matchAll(/<PartNumber>(\d+)</g)].map((found) => found[1]).join('+')
      const first = await page('0')
      const next = elementText(first, 'NextPartNumberMarker')
      const second = await page(next)
      const uploads = await context.raw.send({
        method: 'GET',
        path: `/${context.bucket}`,
        query: { uploads: '', prefix: context.objectKey },
      })
      const listed = elementText(uploads.body.toString(), 'UploadId') === uploadId
      await on(context, 'DELETE', { query: { uploadId } })
      return `${numbers(first)} ${elementText(first, 'IsTruncated')} ${next} ${numbers(second)}, ${listed ? 'listed' : 'not listed'}`
    },
  },
  {
    name: 'UploadPart number 10001',
    run: async (context) => {
      const uploadId = await begin(context)
      return say(await putPart(context, uploadId, 10_001, { body: TAIL }))
    },
  },
  {
    name: 'a plain multipart upload has an MD5 of MD5s as ETag',
    run: async (context) => {
      const uploadId = await begin(context)
      const etag = (await putPart(context, uploadId, 1, { body: TAIL })).headers['etag'] ?? ''
      await complete(context, uploadId, [{ partNumber: 1, etag }])
      const md5 = createHash('md5').update(createHash('md5').update(TAIL).digest()).digest('hex')
      const stored = (await on(context, 'HEAD')).headers['etag'] ?? ''
      return stored === `"${md5}-1"` ? 'MD5 of MD5s -1' : 'something else'
    },
  },
  {
    name: 'an upload does not touch the object until it is completed',
    run: async (context) => {
      await given(context, 'old')
      const uploadId = await begin(context)
      await putPart(context, uploadId, 1, { body: TAIL })
      const before = await on(context, 'GET')
      await on(context, 'DELETE', { query: { uploadId } })
      return sayBody(before, 'old')
    },
  },
]
