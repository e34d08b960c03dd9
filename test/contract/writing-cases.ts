import { createHash } from 'node:crypto'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import {
  customerKey,
  given,
  keyHeaders,
  on,
  say,
  sayAtRest,
  sayProof,
  sdkKey,
  type Case,
  type Context,
} from './case.js'

const ALGORITHM = 'x-amz-server-side-encryption-customer-algorithm'
const KEY = 'x-amz-server-side-encryption-customer-key'
const MD5 = 'x-amz-server-side-encryption-customer-key-md5'

/** PutObject with headers that were spoiled. */
const putWith =
  (spoil: (headers: Record<string, string>) => Record<string, string | undefined>) => async (context: Context) => {
    const changed = Object.entries(spoil(keyHeaders(customerKey()))).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    )
    const answer = await on(context, 'PUT', { body: 'data', headers: Object.fromEntries(changed) })
    return `${say(answer)}, ${await sayAtRest(context, 'data')}`
  }

export const WRITING: readonly Case[] = [
  {
    name: 'PutObject with a customer key',
    run: async (context) => {
      const key = customerKey()
      const answer = await on(context, 'PUT', { body: 'data', headers: keyHeaders(key) })
      return `${sayProof(answer, key)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'PutObject of nothing with a customer key',
    run: async (context) => {
      const key = customerKey()
      const answer = await on(context, 'PUT', { body: '', headers: keyHeaders(key) })
      return `${sayProof(answer, key)}, ${await sayAtRest(context, '')}`
    },
  },
  {
    name: 'PutObject through the SDK, HeadObject and GetObject through the SDK',
    run: async ({ sdk, bucket, objectKey }) => {
      const key = customerKey()
      const named = { Bucket: bucket, Key: objectKey, ...sdkKey(key) }
      const put = await sdk.send(new PutObjectCommand({ ...named, Body: 'data', Metadata: { a: 'b' } }))
      const head = await sdk.send(new HeadObjectCommand(named))
      const get = await sdk.send(new GetObjectCommand(named))
      const proven = [put, head, get].every((answer) => answer.SSECustomerKeyMD5 === key.md5)
      return `${proven ? 'proven' : 'unproven'}, ${head.ContentLength ?? -1} bytes, a=${head.Metadata?.['a'] ?? ''}, ${(await get.Body?.transformToString()) ?? ''}`
    },
  },
  { name: 'PutObject, wrong MD5 of the key', run: putWith((headers) => ({ ...headers, [MD5]: customerKey().md5 })) },
  {
    name: 'PutObject, MD5 of the base64 text instead of the bytes',
    run: putWith((headers) => ({
      ...headers,
      [MD5]: createHash('md5')
        .update(headers[KEY] ?? '')
        .digest('base64'),
    })),
  },
  {
    name: 'PutObject, key of 16 bytes',
    run: putWith(() => keyHeaders(customerKey(Buffer.alloc(16, 7)))),
  },
  { name: 'PutObject, key that is no base64', run: putWith((headers) => ({ ...headers, [KEY]: '!!!' })) },
  { name: 'PutObject, algorithm AES128', run: putWith((headers) => ({ ...headers, [ALGORITHM]: 'AES128' })) },
  { name: 'PutObject, no algorithm', run: putWith((headers) => ({ ...headers, [ALGORITHM]: undefined })) },
  { name: 'PutObject, no key', run: putWith((headers) => ({ ...headers, [KEY]: undefined })) },
  { name: 'PutObject, no MD5 of the key', run: putWith((headers) => ({ ...headers, [MD5]: undefined })) },
  { name: 'PutObject, algorithm alone', run: putWith((headers) => ({ [ALGORITHM]: headers[ALGORITHM] })) },
  {
    name: 'PutObject with SSE-C and SSE-S3',
    run: putWith((headers) => ({ ...headers, 'x-amz-server-side-encryption': 'AES256' })),
  },
  {
    name: 'PutObject with SSE-C and SSE-KMS',
    run: putWith((headers) => ({ ...headers, 'x-amz-server-side-encryption': 'aws:kms' })),
  },
  {
    name: 'SSE-C over plain http, PutObject',
    run: async (context) => {
      const answer = await on(context, 'PUT', { body: 'data', headers: keyHeaders(customerKey()), plain: true })
      return `${say(answer)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'SSE-C over plain http, GetObject',
    run: async (context) => {
      const key = customerKey()
      await given(context, 'data', { key })
      return say(await on(context, 'GET', { headers: keyHeaders(key), plain: true }))
    },
  },
  {
    name: 'PutObject, SSE-C headers not signed',
    run: async (context) => {
      const answer = await on(context, 'PUT', { body: 'data', unsigned: keyHeaders(customerKey()) })
      return `${say(answer)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'ETags of the same bytes put twice with a customer key',
    run: async (context) => {
      const key = customerKey()
      const first = (await given(context, 'data', { key })).headers['etag'] ?? ''
      const second = (await given(context, 'data', { key })).headers['etag'] ?? ''
      return `${shape(first, 'data')}, ${first === second ? 'the same' : 'different'}`
    },
  },
  {
    name: 'ETag of a plain object',
    run: async (context) => shape((await given(context, 'data')).headers['etag'] ?? '', 'data'),
  },
  {
    name: 'a plain object is overwritten with a customer key',
    run: async (context) => {
      await given(context, 'plain')
      await given(context, 'data', { key: customerKey() })
      return sayAtRest(context, 'data')
    },
  },
]

function shape(etag: string, content: string): string {
  const md5 = createHash('md5').update(content).digest('hex')
  if (etag === `"${md5}"`) return 'MD5'
  return /^"[0-9a-f]{32}"$/.test(etag) ? '32 hex that are not the MD5' : etag
}
