import { customerKey, given, keyHeaders, on, say, sayBody, sayProof, type Case, type Context } from './case.js'
import { elementText } from '../support/raw-client.js'

const TEXT = 'The quick brown fox jumps over the lazy dog, twice, and once more for luck.'

const readEncrypted =
  (method: string, headers: (key: ReturnType<typeof customerKey>) => Record<string, string>) =>
  async (context: Context) => {
    const key = customerKey()
    await given(context, TEXT, { key })
    return sayProof(await on(context, method, { headers: headers(key) }), key)
  }
const readPlain = (method: string) => async (context: Context) => {
  await given(context, TEXT)
  const key = customerKey()
  return sayProof(await on(context, method, { headers: keyHeaders(key) }), key)
}
const attributes = { 'x-amz-object-attributes': 'ETag,ObjectSize' }
const attributesQuery = { query: { attributes: '' } }

export const READING: readonly Case[] = [
  {
    name: 'GetObject with its key',
    run: async (context) => {
      const key = customerKey()
      await given(context, TEXT, { key })
      const answer = await on(context, 'GET', { headers: keyHeaders(key) })
      return `${sayProof(answer, key)}, ${sayBody(answer, TEXT)}`
    },
  },
  { name: 'GetObject of an SSE-C object without key', run: readEncrypted('GET', () => ({})) },
  { name: 'GetObject of an SSE-C object with another key', run: readEncrypted('GET', () => keyHeaders(customerKey())) },
  { name: 'HeadObject with its key', run: readEncrypted('HEAD', keyHeaders) },
  { name: 'HeadObject of an SSE-C object without key', run: readEncrypted('HEAD', () => ({})) },
  {
    name: 'HeadObject of an SSE-C object with another key',
    run: readEncrypted('HEAD', () => keyHeaders(customerKey())),
  },
  { name: 'GetObject of a plain object with a key', run: readPlain('GET') },
  { name: 'HeadObject of a plain object with a key', run: readPlain('HEAD') },
  {
    name: 'GetObject, x-amz-server-side-encryption beside the key',
    run: readEncrypted('GET', (key) => ({ ...keyHeaders(key), 'x-amz-server-side-encryption': 'AES256' })),
  },
  {
    name: 'GetObject, key not signed',
    run: async (context) => {
      const key = customerKey()
      await given(context, TEXT, { key })
      return sayProof(await on(context, 'GET', { unsigned: keyHeaders(key) }), key)
    },
  },
  {
    name: 'a key that is not the object’s, where there is no object',
    run: async (context) => say(await on(context, 'GET', { headers: keyHeaders(customerKey()) })),
  },
  {
    name: 'ranges of an SSE-C object',
    run: async (context) => {
      const key = customerKey()
      await given(context, TEXT, { key })
      const ranges = ['bytes=0-0', 'bytes=15-16', 'bytes=17-40', 'bytes=-5', 'bytes=60-', 'bytes=70-999', 'bytes=75-']
      const answers = []
      for (const range of ranges) {
        const answer = await on(context, 'GET', { headers: { ...keyHeaders(key), range } })
        const shown = answer.status === 206 ? `${answer.body.toString()}|${answer.headers['content-range'] ?? ''}` : ''
        answers.push(`${answer.status} ${shown}`.trim())
      }
      return answers.join('; ')
    },
  },
  {
    name: 'conditional reads of an SSE-C object',
    run: async (context) => {
      const key = customerKey()
      const etag = (await given(context, TEXT, { key })).headers['etag'] ?? ''
      const past = 'Mon, 01 Jan 2001 00:00:00 GMT'
      const statuses = []
      for (const condition of [
        { 'if-match': etag },
        { 'if-match': '"00000000000000000000000000000000"' },
        { 'if-none-match': etag },
        { 'if-none-match': '"00000000000000000000000000000000"' },
        { 'if-unmodified-since': past },
        { 'if-modified-since': past },
      ]) {
        statuses.push((await on(context, 'GET', { headers: { ...keyHeaders(key), ...condition } })).status)
      }
      return statuses.join(' ')
    },
  },
  {
    name: 'response overrides and metadata of an SSE-C object',
    run: async (context) => {
      const key = customerKey()
      const headers = { 'content-type': 'text/x-own', 'x-amz-meta-color': 'blue', 'cache-control': 'max-age=1' }
      await given(context, TEXT, { key, headers })
      const query = { 'response-content-type': 'text/other', 'response-cache-control': 'no-store' }
      const stored = (await on(context, 'HEAD', { headers: keyHeaders(key) })).headers
      const shown = (await on(context, 'GET', { headers: keyHeaders(key), query })).headers
      return [stored, shown]
        .map((from) => `${from['content-type'] ?? ''} ${from['cache-control'] ?? ''} ${from['x-amz-meta-color'] ?? ''}`)
        .join('; ')
    },
  },
  {
    name: 'GetObjectAttributes with its key',
    run: async (context) => {
      const key = customerKey()
      await given(context, TEXT, { key })
      const answer = await on(context, 'GET', { ...attributesQuery, headers: { ...keyHeaders(key), ...attributes } })
      return answer.code === '' && answer.status === 200
        ? `200 ${elementText(answer.body.toString(), 'ObjectSize')}`
        : say(answer)
    },
  },
  {
    name: 'GetObjectAttributes of an SSE-C object without key',
    run: async (context) => {
      await given(context, TEXT, { key: customerKey() })
      return say(await on(context, 'GET', { ...attributesQuery, headers: attributes }))
    },
  },
  {
    name: 'GetObjectAttributes of an SSE-C object with another key',
    run: async (context) => {
      await given(context, TEXT, { key: customerKey() })
      return say(
        await on(context, 'GET', { ...attributesQuery, headers: { ...keyHeaders(customerKey()), ...attributes } }),
      )
    },
  },
  {
    name: 'deleting, tagging and listing an SSE-C object need no key',
    run: async (context) => {
      await given(context, TEXT, { key: customerKey() })
      const tagging = { query: { tagging: '' } }
      const body = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'
      const tagged = await on(context, 'PUT', { ...tagging, body })
      const tags = await on(context, 'GET', tagging)
      const list = await context.raw.send({
        method: 'GET',
        path: `/${context.bucket}`,
        query: { prefix: context.objectKey },
      })
      const gone = await on(context, 'DELETE')
      return `${tagged.status} ${elementText(tags.body.toString(), 'Value')} ${elementText(list.body.toString(), 'Size')} ${gone.status}`
    },
  },
]
