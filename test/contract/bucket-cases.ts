import { createHash } from 'node:crypto'
import { elementText, type RawResponse } from '../support/raw-client.js'
import { customerKey, given, keyHeaders, on, say, sayBody, type Case, type Context } from './case.js'

const all = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`<${name}>[^<]*</${name}>`, 'g'))].map((found) => elementText(found[0], name))
const onBucket = (context: Context, method: string, query: Record<string, string>, body = ''): Promise<RawResponse> =>
  context.raw.send({
    method,
    path: `/${context.bucket}`,
    query,
    body,
    ...(body === '' ? {} : { headers: { 'content-md5': createHash('md5').update(body).digest('base64') } }),
  })

/** Object keys that broke somebody's proxy: how they go on the wire. */
const ODD = [
  'a%20b',
  'a%2Bb',
  'a%3Db%26c%3Bd',
  'a%40b%2Ac~',
  '%2520',
  'a//b',
  'a/./b',
  'a/../b',
  '%C3%A9',
  'e%CC%81',
  '%F0%9F%94%91',
  'trailing.',
  'a%3Fb%23c',
  'a%5Cb',
  '%27%28%29%21',
  '%E2%80%AE',
  'x/',
]

export const BUCKETS: readonly Case[] = [
  {
    name: 'odd object keys are kept byte for byte',
    run: async (context) => {
      const key = customerKey()
      const failed = []
      for (const odd of ODD) {
        const objectKey = `${context.objectKey}/${odd}`
        const put = await on(context, 'PUT', { objectKey, body: odd, headers: keyHeaders(key) })
        const got = await on(context, 'GET', { objectKey, headers: keyHeaders(key) })
        if (put.status !== 200 || sayBody(got, odd) !== '200 same bytes')
          failed.push(`${odd} ${put.status} ${got.status}`)
      }
      const text = (
        await onBucket(context, 'GET', { prefix: `${context.objectKey}/`, 'encoding-type': 'url' })
      ).body.toString()
      const listed = new Set(all(text, 'Key').map((name) => decodeURIComponent(name.replaceAll('+', ' '))))
      const missing = ODD.filter((odd) => !listed.has(`${context.objectKey}/${decodeURIComponent(odd)}`))
      return failed.length + missing.length === 0 ? 'all' : `failed: ${failed.join(' ')} unlisted: ${missing.join(' ')}`
    },
  },
  {
    name: 'an object key of 1024 bytes, and of 1025',
    run: async (context) => {
      const fill = (size: number): string => context.objectKey.padEnd(size, 'k')
      const fits = await on(context, 'PUT', { objectKey: segmented(fill(1024)), body: '' })
      const long = await on(context, 'PUT', { objectKey: segmented(fill(1025)), body: '' })
      return `${say(fits)}, ${say(long)}`
    },
  },
  {
    name: 'ListObjects and ListObjectsV2 with prefix, delimiter and pages',
    run: async (context) => {
      const base = `${context.objectKey}/`
      for (const name of ['a', 'b/1', 'b/2', 'c', 'd/1']) await given(context, name, { objectKey: base + name })
      const walk = async (first: Record<string, string>, next: (text: string) => Record<string, string>) => {
        const pages = []
        for (let query = first; ;) {
          const text = (
            await onBucket(context, 'GET', { ...query, prefix: base, delimiter: '/', 'max-keys': '2' })
          ).body.toString()
          const prefixes = all(text, 'Prefix').filter((prefix) => prefix !== base)
          pages.push([...all(text, 'Key'), ...prefixes].map((name) => name.slice(base.length)).join(' '))
          if (elementText(text, 'IsTruncated') !== 'true' || pages.length > 9) return pages.join(' | ')
          query = { ...first, ...next(text) }
        }
      }
      const v1 = await walk({}, (text) => ({ marker: elementText(text, 'NextMarker') }))
      const v2 = await walk({ 'list-type': '2' }, (text) => ({
        'continuation-token': elementText(text, 'NextContinuationToken'),
      }))
      return `${v1}; ${v2}`
    },
  },
  {
    name: 'DeleteObjects',
    run: async (context) => {
      await given(context, 'one', { key: customerKey() })
      const names = [context.objectKey, `${context.objectKey}-not-there`]
      const body = `<Delete>${names.map((name) => `<Object><Key>${name}</Key></Object>`).join('')}</Delete>`
      const answer = await onBucket(context, 'POST', { delete: '' }, body)
      const gone = await on(context, 'HEAD')
      return `${answer.status} ${all(answer.body.toString(), 'Key').length} deleted, ${gone.status}`
    },
  },
  { name: 'GetObject where there is none', run: async (context) => say(await on(context, 'GET')) },
  { name: 'HeadObject where there is none', run: async (context) => say(await on(context, 'HEAD')) },
  {
    name: 'PutObject into a bucket that is not there',
    run: async (context) => say(await on(context, 'PUT', { bucket: 'no-such-bucket-here', body: 'data' })),
  },
  {
    name: 'HeadBucket, GetBucketLocation, GetBucketVersioning',
    run: async (context) => {
      const head = await onBucket(context, 'HEAD', {})
      const location = await onBucket(context, 'GET', { location: '' })
      const versioning = await context.raw.send({
        method: 'GET',
        path: `/${context.versioned}`,
        query: { versioning: '' },
      })
      return `${head.status} ${head.headers['x-amz-bucket-region'] ?? 'no region'}, ${location.status} "${elementText(location.body.toString(), 'LocationConstraint')}", ${elementText(versioning.body.toString(), 'Status')}`
    },
  },
  {
    name: 'a bucket is made, is not deleted while it has objects, and is deleted',
    run: async (context) => {
      const bucket = `${context.objectKey.toLowerCase()}-new`
      const send = (method: string) => context.raw.send({ method, path: `/${bucket}` })
      const made = await send('PUT')
      await given(context, 'data', { bucket })
      const refused = await send('DELETE')
      await on(context, 'DELETE', { bucket })
      const deleted = await send('DELETE')
      return `${made.status}, ${refused.status} ${refused.code}, ${deleted.status}`
    },
  },
  {
    name: 'PutObject if there is none yet, and if it is the one',
    run: async (context) => {
      const put = (headers: Record<string, string>) => on(context, 'PUT', { body: 'data', headers })
      const first = await put({ 'if-none-match': '*' })
      const second = await put({ 'if-none-match': '*' })
      const matching = await put({ 'if-match': first.headers['etag'] ?? '' })
      const other = await put({ 'if-match': '"00000000000000000000000000000000"' })
      return [first, second, matching, other].map((answer) => `${answer.status} ${answer.code}`.trim()).join(', ')
    },
  },
  {
    name: 'ListBuckets with a prefix, in pages of two',
    run: async (context) => {
      const prefix = `${context.objectKey.toLowerCase()}-of-`
      for (const name of ['1', '2', '3']) await context.raw.send({ method: 'PUT', path: `/${prefix}${name}` })
      const pages = []
      for (let token = ''; ;) {
        const more = token === '' ? {} : { 'continuation-token': token }
        const query = { prefix, 'max-buckets': '2', ...more }
        const text = (await context.raw.send({ method: 'GET', path: '/', query })).body.toString()
        const names = all(text, 'Name')
        const ours = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
        pages.push(`${ours.join(' ')}${ours.length < names.length ? ' and others' : ''}`)
        token = elementText(text, 'ContinuationToken')
        if (token === '' || pages.length > 5) return pages.join(' | ')
      }
    },
  },
  {
    name: 'ListBuckets in pages of none, and of 10001',
    run: async (context) => {
      const ask = (size: string) => context.raw.send({ method: 'GET', path: '/', query: { 'max-buckets': size } })
      return [await ask('0'), await ask('10001')].map(say).join(', ')
    },
  },
  {
    name: 'a website redirect of an SSE-C object is shown, not followed; a copy leaves it behind',
    run: async (context) => {
      const key = customerKey()
      const name = 'x-amz-website-redirect-location'
      await given(context, 'here', { key, headers: { [name]: 'https://example.com/there?a=b' } })
      const got = await on(context, 'GET', { headers: keyHeaders(key) })
      await given(context, 'plain', { objectKey: `${context.objectKey}-plain`, headers: { [name]: '/there' } })
      const from = { 'x-amz-copy-source': `/${context.bucket}/${context.objectKey}-plain` }
      await on(context, 'PUT', { objectKey: `${context.objectKey}-copy`, headers: from })
      const copy = await on(context, 'HEAD', { objectKey: `${context.objectKey}-copy` })
      return `${sayBody(got, 'here')} ${got.headers[name] ?? 'none'}, ${copy.status} ${copy.headers[name] ?? 'none'}`
    },
  },
  {
    name: 'a website redirect that is no place',
    run: async (context) =>
      say(await on(context, 'PUT', { body: 'x', headers: { 'x-amz-website-redirect-location': 'nowhere' } })),
  },
  {
    name: 'an operation that nobody built',
    run: async (context) => `${(await on(context, 'GET', { query: { torrent: '' } })).status}`,
  },
]

/** MinIO keeps object keys as paths, whose segments are at most 255 bytes. */
function segmented(name: string): string {
  return name.replace(/(.{99})./g, '$1/')
}
