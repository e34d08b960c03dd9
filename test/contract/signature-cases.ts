import { elementText, type RawRequest } from '../support/raw-client.js'
import { given, keyHeaders, customerKey, on, say, sayAtRest, sayBody, type Case, type Context } from './case.js'

const HOUR_MS = 3_600_000

/** A PutObject whose signature is spoiled: what is said, and that nothing was stored. */
const put = (request: Omit<RawRequest, 'method' | 'path'>) => async (context: Context) => {
  const answer = await on(context, 'PUT', { body: 'data', ...request })
  return `${say(answer)}, ${await sayAtRest(context, 'data')}`
}
const get = (request: Omit<RawRequest, 'method' | 'path'>) => async (context: Context) => {
  await given(context, 'data')
  return say(await on(context, 'GET', request))
}

export const SIGNATURES: readonly Case[] = [
  { name: 'no signature', run: put({ anonymous: true }) },
  { name: 'an unknown access key', run: put({ accessKeyId: 'AKIANOBODY0000000000' }) },
  { name: 'another secret', run: put({ secretAccessKey: 'not-the-secret' }) },
  {
    name: 'a clock 20 minutes behind',
    run: async (context) => put({ date: new Date(Date.now() - HOUR_MS / 3) })(context),
  },
  {
    name: 'a clock 10 minutes behind',
    run: async (context) => put({ date: new Date(Date.now() - HOUR_MS / 6) })(context),
  },
  {
    name: 'a region that is not the bucket’s',
    run: async (context) => {
      const answer = await on(context, 'PUT', { body: 'data', region: 'eu-central-1' })
      return `${say(answer)}, expecting ${elementText(answer.body.toString(), 'Region')}`
    },
  },
  { name: 'an x-amz-* header that is not signed', run: put({ unsigned: { 'x-amz-meta-a': 'b' } }) },
  {
    name: 'a path that was changed after signing',
    run: get({ tamper: (head) => void (head.path += 'x') }),
  },
  {
    name: 'a query that was added after signing',
    run: get({ tamper: (head) => void (head.path += '?versionId=null') }),
  },
  {
    name: 'SignatureDoesNotMatch tells what was to be signed',
    run: async (context) => {
      const answer = await on(context, 'GET', { secretAccessKey: 'not-the-secret' })
      const text = answer.body.toString()
      return `${answer.code}, ${['StringToSign', 'CanonicalRequest'].filter((name) => text.includes(`<${name}>`)).join(' and ') || 'nothing'}`
    },
  },
  {
    name: 'a presigned GetObject of a plain object',
    run: async (context) => {
      await given(context, 'data')
      return sayBody(await on(context, 'GET', { presignFor: 60 }), 'data')
    },
  },
  {
    name: 'a presigned PutObject',
    run: async (context) => {
      const answer = await on(context, 'PUT', { presignFor: 60, body: 'data' })
      return `${say(answer)}, ${await sayAtRest(context, 'data')}`
    },
  },
  {
    name: 'a presigned GetObject of an SSE-C object, its headers signed',
    run: async (context) => {
      const key = customerKey()
      await given(context, 'data', { key })
      return sayBody(await on(context, 'GET', { presignFor: 60, headers: keyHeaders(key) }), 'data')
    },
  },
  {
    name: 'a presigned GetObject of an SSE-C object, its headers not signed',
    run: async (context) => {
      const key = customerKey()
      await given(context, 'data', { key })
      return sayBody(await on(context, 'GET', { presignFor: 60, unsigned: keyHeaders(key) }), 'data')
    },
  },
  {
    name: 'a presigned request that has expired',
    run: async (context) => get({ presignFor: 60, date: new Date(Date.now() - HOUR_MS) })(context),
  },
  {
    name: 'a presigned request with another signature',
    run: get({
      presignFor: 60,
      tamper: (head) => void (head.path = head.path.replace(/(Signature=)[0-9a-f]{4}/, '$1abcd')),
    }),
  },
  {
    name: 'virtual-hosted style',
    run: async (context) => {
      await given(context, 'data')
      const host = `${context.bucket}.${context.server.baseDomain}:${context.server.port}`
      return sayBody(await context.raw.send({ method: 'GET', path: `/${context.objectKey}`, host }), 'data')
    },
  },
]
