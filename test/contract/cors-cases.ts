import { createHash } from 'node:crypto'
import { elementText, type RawResponse } from '../support/raw-client.js'
import { customerKey, given, keyHeaders, on, say, type Case, type Context } from './case.js'

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html and userguide/cors-troubleshooting.html

const PAGE = 'https://app.example.com'
const RULE =
  `<CORSRule><AllowedOrigin>${PAGE}</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>` +
  '<AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule>'

/** A bucket of this case's own, whose objects a page may get and put. */
async function openBucket(context: Context, rules: string): Promise<string> {
  const bucket = `${context.objectKey.toLowerCase()}-cors`
  const path = `/${bucket}`
  await context.raw.send({ method: 'PUT', path })
  if (rules === '') return bucket
  const body = `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rules}</CORSConfiguration>`
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') }
  const set = await context.raw.send({ method: 'PUT', path, query: { cors: '' }, body, headers })
  if (set.status !== 200) throw new Error(`no CORS: ${say(set)}`)
  return bucket
}

const preflight = (context: Context, bucket: string, headers: Record<string, string>): Promise<RawResponse> =>
  on(context, 'OPTIONS', { bucket, headers, anonymous: true })

const sayCors = ({ status, headers, code, message }: RawResponse): string => {
  if (status >= 300) return `${status} ${code}${message === '' ? '' : `: ${message}`}`
  const said = (name: string) => headers[`access-control-${name}`] ?? '-'
  return `${status} ${said('allow-origin')} ${said('allow-methods')} ${said('allow-headers')} ${said('expose-headers')} ${said('max-age')} ${said('allow-credentials')}`
}

/** A preflight for a bucket with the rule. */
const asked = (name: string, headers: Record<string, string>): Case => ({
  name,
  run: async (context) => sayCors(await preflight(context, await openBucket(context, RULE), headers)),
})

export const CORS: readonly Case[] = [
  {
    name: 'GetBucketCors where none was set',
    run: async (context) => {
      const bucket = await openBucket(context, '')
      return say(await context.raw.send({ method: 'GET', path: `/${bucket}`, query: { cors: '' } }))
    },
  },
  {
    name: 'CORS rules are put, shown and deleted',
    run: async (context) => {
      const bucket = await openBucket(context, RULE)
      const send = (method: string) => context.raw.send({ method, path: `/${bucket}`, query: { cors: '' } })
      const shown = elementText((await send('GET')).body.toString(), 'AllowedOrigin')
      return `${shown}, ${(await send('DELETE')).status}, ${(await send('GET')).code}`
    },
  },
  {
    name: 'a preflight where there is no CORS',
    run: async (context) => {
      const bucket = await openBucket(context, '')
      return sayCors(await preflight(context, bucket, { origin: PAGE, 'access-control-request-method': 'GET' }))
    },
  },
  asked('a preflight that a rule allows', {
    origin: PAGE,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'x-amz-date,x-amz-meta-a',
  }),
  asked('a preflight of another page', {
    origin: 'https://evil.example.com',
    'access-control-request-method': 'GET',
  }),
  asked('a preflight for a method that no rule has', { origin: PAGE, 'access-control-request-method': 'DELETE' }),
  asked('a preflight for a header that no rule has', {
    origin: PAGE,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'x-other',
  }),
  asked('a preflight without Origin', { 'access-control-request-method': 'GET' }),
  {
    name: 'a read of an SSE-C object with an Origin, and of another page',
    run: async (context) => {
      const bucket = await openBucket(context, RULE)
      const key = customerKey()
      await given(context, 'data', { bucket, key })
      const read = (origin: string) => on(context, 'GET', { bucket, headers: { ...keyHeaders(key), origin } })
      return `${sayCors(await read(PAGE))}; ${sayCors(await read('https://evil.example.com'))}`
    },
  },
]
