import { randomBytes } from 'node:crypto'
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
  type Case,
  type Context,
  type CustomerKey,
} from './case.js'

const TEXT = 'what is copied'

/** A copy from `<objectKey>-source`, which is put with `stored`; `sent` goes along for it, `target` for the new object. */
const copy =
  (stored: 'key' | 'plain', sent: 'key' | 'other' | 'none', target: 'key' | 'plain') => async (context: Context) => {
    const sourceKey = customerKey()
    const targetKey = customerKey()
    await given(context, TEXT, {
      objectKey: `${context.objectKey}-source`,
      ...(stored === 'key' ? { key: sourceKey } : {}),
    })
    const answer = await copyOver(context, {
      ...(sent === 'none' ? {} : keyHeaders(sent === 'key' ? sourceKey : customerKey(), 'source')),
      ...(target === 'key' ? keyHeaders(targetKey) : {}),
    })
    const said = target === 'key' ? sayProof(answer, targetKey) : say(answer)
    return `${said}, ${await sayAtRest(context, TEXT)}${answer.status === 200 && target === 'key' ? `, ${await opens(context, targetKey)}` : ''}`
  }

const copyOver = (context: Context, headers: Record<string, string>, source = `${context.objectKey}-source`) =>
  on(context, 'PUT', { headers: { 'x-amz-copy-source': `/${context.bucket}/${source}`, ...headers } })

async function opens(context: Context, key: CustomerKey): Promise<string> {
  const answer = await on(context, 'GET', { headers: keyHeaders(key) })
  return answer.status === 200 && answer.body.equals(Buffer.from(TEXT))
    ? 'opens with the key'
    : 'does not open with the key'
}

export const COPYING: readonly Case[] = [
  { name: 'CopyObject SSE-C source to SSE-C target, both keys', run: copy('key', 'key', 'key') },
  { name: 'CopyObject SSE-C source to plain target', run: copy('key', 'key', 'plain') },
  { name: 'CopyObject plain source to SSE-C target', run: copy('plain', 'none', 'key') },
  { name: 'CopyObject plain source to plain target', run: copy('plain', 'none', 'plain') },
  { name: 'CopyObject from an SSE-C source without its key', run: copy('key', 'none', 'key') },
  { name: 'CopyObject from an SSE-C source with another key', run: copy('key', 'other', 'key') },
  { name: 'CopyObject from a plain source with a copy-source key', run: copy('plain', 'key', 'key') },
  {
    name: 'CopyObject of an SSE-C object onto itself under a new key',
    run: async (context) => {
      const before = customerKey()
      const after = customerKey()
      await given(context, TEXT, { key: before, headers: { 'x-amz-meta-a': 'b' } })
      const answer = await copyOver(
        context,
        { ...keyHeaders(before, 'source'), ...keyHeaders(after) },
        context.objectKey,
      )
      if (answer.status !== 200) return say(answer)
      const old = await on(context, 'GET', { headers: keyHeaders(before) })
      const now = await on(context, 'GET', { headers: keyHeaders(after) })
      return `${sayProof(answer, after)}, old key ${old.status}, new key ${sayBody(now, TEXT)} ${now.headers['x-amz-meta-a'] ?? ''}`
    },
  },
  {
    name: 'CopyObject of a plain object onto itself without a change',
    run: async (context) => {
      await given(context, TEXT)
      return say(await copyOver(context, {}, context.objectKey))
    },
  },
  {
    name: 'CopyObject, headers kept and replaced',
    run: async (context) => {
      const headers = { 'x-amz-meta-a': 'b', 'content-type': 'text/x-one' }
      await given(context, TEXT, { objectKey: `${context.objectKey}-source`, headers })
      await copyOver(context, {})
      const kept = (await on(context, 'HEAD')).headers
      await copyOver(context, {
        'x-amz-metadata-directive': 'REPLACE',
        'content-type': 'text/x-two',
        'x-amz-meta-c': 'd',
      })
      const replaced = (await on(context, 'HEAD')).headers
      return [kept, replaced]
        .map((from) => `${from['content-type'] ?? ''} ${from['x-amz-meta-a'] ?? '-'} ${from['x-amz-meta-c'] ?? '-'}`)
        .join('; ')
    },
  },
  {
    name: 'CopyObject, conditions on the source',
    run: async (context) => {
      const etag = (await given(context, TEXT, { objectKey: `${context.objectKey}-source` })).headers['etag'] ?? ''
      const statuses = []
      for (const condition of [
        { 'x-amz-copy-source-if-match': etag },
        { 'x-amz-copy-source-if-match': '"0"' },
        { 'x-amz-copy-source-if-none-match': etag },
        { 'x-amz-copy-source-if-unmodified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' },
      ]) {
        statuses.push((await copyOver(context, condition)).status)
      }
      return statuses.join(' ')
    },
  },
  {
    name: 'CopyObject from a source that is not there',
    run: async (context) => say(await copyOver(context, {})),
  },
  {
    name: 'CopyObject of a source with an odd name',
    run: async (context) => {
      const source = `${context.objectKey}%20%2B%3F%23%C3%A9`
      await given(context, TEXT, { objectKey: source })
      return `${say(await copyOver(context, {}, source))}, ${await sayAtRest(context, TEXT)}`
    },
  },
  {
    name: 'UploadPartCopy, all and a range, from an SSE-C source into an SSE-C upload',
    run: async (context) => {
      const sourceKey = customerKey()
      const key = customerKey()
      const body = randomBytes(FIVE_MIB + 10)
      const source = `${context.objectKey}-source`
      await given(context, body, { objectKey: source, key: sourceKey })
      const uploadId = await begin(context, keyHeaders(key))
      const headers = {
        'x-amz-copy-source': `/${context.bucket}/${source}`,
        ...keyHeaders(sourceKey, 'source'),
        ...keyHeaders(key),
      }
      const one = await putPart(context, uploadId, 1, { headers })
      const two = await putPart(context, uploadId, 2, {
        headers: { ...headers, 'x-amz-copy-source-range': `bytes=${FIVE_MIB}-${FIVE_MIB + 4}` },
      })
      if (one.status !== 200) return sayProof(one, key)
      const etags = [one, two].map((answer) => elementText(answer.body.toString(), 'ETag'))
      await complete(
        context,
        uploadId,
        etags.map((etag, index) => ({ partNumber: index + 1, etag })),
      )
      const got = await on(context, 'GET', { headers: keyHeaders(key) })
      const expected = Buffer.concat([body, body.subarray(FIVE_MIB, FIVE_MIB + 5)])
      return `${sayProof(one, key)}, ${sayProof(two, key)}, ${sayBody(got, expected)}`
    },
  },
  {
    name: 'UploadPartCopy from an SSE-C source without its key',
    run: async (context) => {
      const source = `${context.objectKey}-source`
      await given(context, TEXT, { objectKey: source, key: customerKey() })
      const uploadId = await begin(context)
      return say(
        await putPart(context, uploadId, 1, { headers: { 'x-amz-copy-source': `/${context.bucket}/${source}` } }),
      )
    },
  },
  {
    name: 'UploadPartCopy, another key than at create',
    run: async (context) => {
      const source = `${context.objectKey}-source`
      await given(context, TEXT, { objectKey: source })
      const uploadId = await begin(context, keyHeaders(customerKey()))
      const headers = { 'x-amz-copy-source': `/${context.bucket}/${source}`, ...keyHeaders(customerKey()) }
      return say(await putPart(context, uploadId, 1, { headers }))
    },
  },
  {
    name: 'UploadPartCopy, a range past the end',
    run: async (context) => {
      const source = `${context.objectKey}-source`
      await given(context, TEXT, { objectKey: source })
      const uploadId = await begin(context)
      const headers = { 'x-amz-copy-source': `/${context.bucket}/${source}`, 'x-amz-copy-source-range': 'bytes=0-999' }
      return say(await putPart(context, uploadId, 1, { headers }))
    },
  },
]
