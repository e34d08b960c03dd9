import { createHash } from 'node:crypto'
import { elementText, type RawResponse } from '../support/raw-client.js'
import { customerKey, given, keyHeaders, on, say, sayBody, type Case, type Context } from './case.js'

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html and object-lock-managing.html

const md5 = (text: string): Record<string, string> => ({
  'content-md5': createHash('md5').update(text).digest('base64'),
})
const version = ({ headers }: RawResponse): string => headers['x-amz-version-id'] ?? ''
const short = ({ status, code }: RawResponse): string => `${status} ${code}`.trim()
const year = (offset: number): string => `${new Date().getUTCFullYear() + offset}-01-01T00:00:00Z`
const BYPASS = { 'x-amz-bypass-governance-retention': 'true' }

const onBucket = (context: Context, method: string, bucket: string, query: Record<string, string>) =>
  context.raw.send({ method, path: `/${bucket}`, query })

/** A bucket of this case's own, with object lock. */
async function lockedBucket(context: Context): Promise<string> {
  const bucket = `${context.objectKey.toLowerCase()}-locked`
  const headers = { 'x-amz-bucket-object-lock-enabled': 'true' }
  const made = await context.raw.send({ method: 'PUT', path: `/${bucket}`, headers })
  if (made.status !== 200) throw new Error(`no bucket with object lock: ${say(made)}`)
  return bucket
}

const retention = (mode: string, until: string): string =>
  `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`
const hold = (status: string): string =>
  `<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></LegalHold>`

const setRetention = (
  context: Context,
  bucket: string,
  mode: string,
  until: string,
  headers: Record<string, string> = {},
) => {
  const body = retention(mode, until)
  return on(context, 'PUT', { bucket, query: { retention: '' }, body, headers: { ...md5(body), ...headers } })
}
const setHold = (context: Context, bucket: string, status: string) => {
  const body = hold(status)
  return on(context, 'PUT', { bucket, query: { 'legal-hold': '' }, body, headers: md5(body) })
}

export const LOCKS: readonly Case[] = [
  {
    name: 'a bucket with object lock has versions and says so',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      const lock = await onBucket(context, 'GET', bucket, { 'object-lock': '' })
      const versions = await onBucket(context, 'GET', bucket, { versioning: '' })
      return `${lock.status} ${elementText(lock.body.toString(), 'ObjectLockEnabled')}, ${elementText(versions.body.toString(), 'Status')}`
    },
  },
  {
    name: 'GetObjectLockConfiguration of a bucket without',
    run: async (context) => say(await onBucket(context, 'GET', context.bucket, { 'object-lock': '' })),
  },
  {
    name: 'GetObjectRetention and GetObjectLegalHold where none was set',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      await given(context, 'free', { bucket })
      const kept = await on(context, 'GET', { bucket, query: { retention: '' } })
      const held = await on(context, 'GET', { bucket, query: { 'legal-hold': '' } })
      return `${say(kept)}, ${short(held)}`
    },
  },
  {
    name: 'PutObjectRetention in a bucket without object lock',
    run: async (context) => {
      await given(context, 'free')
      return say(await setRetention(context, context.bucket, 'GOVERNANCE', year(2)))
    },
  },
  {
    name: 'PutObjectLegalHold in a bucket without object lock',
    run: async (context) => {
      await given(context, 'free')
      return say(await setHold(context, context.bucket, 'ON'))
    },
  },
  {
    name: 'PutObjectRetention until a time that has passed',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      await given(context, 'free', { bucket })
      return say(await setRetention(context, bucket, 'GOVERNANCE', year(-1)))
    },
  },
  {
    name: 'GOVERNANCE keeps a version of an SSE-C object until it is bypassed',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      const key = customerKey()
      const query = { versionId: version(await given(context, 'kept', { bucket, key })) }
      const answers = [
        await setRetention(context, bucket, 'GOVERNANCE', year(2)),
        await on(context, 'DELETE', { bucket, query }),
        await setRetention(context, bucket, 'GOVERNANCE', year(1)),
        await setRetention(context, bucket, 'GOVERNANCE', year(3)),
        await setRetention(context, bucket, 'GOVERNANCE', year(1), BYPASS),
      ]
      const read = await on(context, 'GET', { bucket, headers: keyHeaders(key) })
      const mode = read.headers['x-amz-object-lock-mode'] ?? 'no mode'
      const until = new Date(read.headers['x-amz-object-lock-retain-until-date'] ?? '').getTime()
      const shown = until === new Date(year(1)).getTime() ? 'its time' : 'another time'
      const freed = await on(context, 'DELETE', { bucket, query, headers: BYPASS })
      return `${answers.map(short).join(', ')}; ${sayBody(read, 'kept')} ${mode} ${shown}; ${short(freed)}`
    },
  },
  {
    name: 'COMPLIANCE is not bypassed, only prolonged',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      const query = { versionId: version(await given(context, 'kept', { bucket })) }
      const answers = [
        await setRetention(context, bucket, 'COMPLIANCE', year(2)),
        await setRetention(context, bucket, 'COMPLIANCE', year(1), BYPASS),
        await setRetention(context, bucket, 'GOVERNANCE', year(3), BYPASS),
        await setRetention(context, bucket, 'COMPLIANCE', year(3)),
        await on(context, 'DELETE', { bucket, query, headers: BYPASS }),
      ]
      return answers.map(short).join(', ')
    },
  },
  {
    name: 'a legal hold keeps a version, whatever is bypassed, until it is taken off',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      const query = { versionId: version(await given(context, 'held', { bucket })) }
      const on1 = await setHold(context, bucket, 'ON')
      const held = await on(context, 'HEAD', { bucket })
      const refused = await on(context, 'DELETE', { bucket, query, headers: BYPASS })
      const off = await setHold(context, bucket, 'OFF')
      const status = elementText(
        (await on(context, 'GET', { bucket, query: { 'legal-hold': '' } })).body.toString(),
        'Status',
      )
      const deleted = await on(context, 'DELETE', { bucket, query })
      return `${short(on1)} ${held.headers['x-amz-object-lock-legal-hold'] ?? 'not said'}, ${short(refused)}, ${short(off)} ${status}, ${short(deleted)}`
    },
  },
  {
    name: 'a locked object can be hidden and overwritten, not removed',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      const query = { versionId: version(await given(context, 'first', { bucket })) }
      await setHold(context, bucket, 'ON')
      await given(context, 'second', { bucket })
      const marked = await on(context, 'DELETE', { bucket })
      const first = await on(context, 'GET', { bucket, query })
      const outcome = `${short(marked)} ${marked.headers['x-amz-delete-marker'] ?? 'no marker'}, ${sayBody(first, 'first')}`
      const body = hold('OFF')
      const headers = md5(body)
      await on(context, 'PUT', { bucket, query: { 'legal-hold': '', ...query }, body, headers })
      return outcome
    },
  },
  {
    name: 'PutObject with a customer key, retention and a legal hold',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      const key = customerKey()
      const headers = {
        ...md5('locked'),
        'x-amz-object-lock-mode': 'GOVERNANCE',
        'x-amz-object-lock-retain-until-date': year(2),
        'x-amz-object-lock-legal-hold': 'ON',
      }
      await given(context, 'locked', { bucket, key, headers })
      const head = await on(context, 'HEAD', { bucket, headers: keyHeaders(key) })
      const says = (name: string) => head.headers[`x-amz-object-lock-${name}`] ?? 'none'
      return `${says('mode')} ${says('legal-hold')}`
    },
  },
  {
    name: 'PutObject with retention and no checksum of its body',
    run: async (context) => {
      const bucket = await lockedBucket(context)
      const headers = { 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': year(2) }
      return say(await on(context, 'PUT', { bucket, body: 'locked', headers, payload: 'UNSIGNED-PAYLOAD' }))
    },
  },
  {
    name: 'PutObject with retention in a bucket without object lock',
    run: async (context) => {
      const headers = {
        ...md5('data'),
        'x-amz-object-lock-mode': 'GOVERNANCE',
        'x-amz-object-lock-retain-until-date': year(2),
      }
      return say(await on(context, 'PUT', { body: 'data', headers }))
    },
  },
]
