import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { testCertificates } from '../support/certificates.js'
import { commandLine, proxyDocument, proxyFiles } from '../support/command-line.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { CLIENT, startTestProxy } from '../support/proxy-in-process.js'
import { s3 } from '../support/s3-client.js'

const say = (...args: readonly string[]) => commandLine(args)

const upstreamOf = (port: number) => ({
  port,
  ca: testCertificates().authority.cert,
  ...ORIGIN_CREDENTIALS,
  region: 'us-east-1',
})

async function makeStand(t: Test) {
  const origin = await startTestOrigin()
  t.teardown(() => origin.close())
  const folder = t.testdir({ ...proxyFiles() })
  const config = join(folder, 'proxy.yaml')
  const rules = [{ bucket: 'bucket', keyring: 'none' }]
  writeFileSync(config, stringify(proxyDocument(origin.port, {}, { rules })))
  return { origin, config, side: { port: origin.port, ...ORIGIN_CREDENTIALS } }
}

t.test('a policy is printed as it goes to S3', async (t) => {
  const { code, out } = await say('policy', 'require', 's3://bucket/a/')
  t.equal(code, 0)
  t.match(JSON.parse(out), { Statement: [{ Effect: 'Deny', Resource: 'arn:aws:s3:::bucket/a/*' }] })
  const arn = 'arn:aws:iam::123456789012:user/app'
  const one = await say('policy', 'restrict', 's3://bucket', '--principal', arn)
  t.match(JSON.parse(one.out), { Statement: [{ Principal: { AWS: arn } }] })
})

t.test('wrong arguments', async (t) => {
  for (const [args, reason] of [
    [['policy', 'require', 'bucket'], /must be s3:\/\/BUCKET/],
    [['policy', 'require', 's3://a..b'], /names a bucket that cannot be/],
    [['policy', 'require', 's3://bucket', '--principal', 'me'], /must be the ARN/],
    [['policy', 'require', 's3://bucket', '--apply'], /--apply needs --config/],
    [['policy', 'require', 's3://bucket', '--dry-run'], /--dry-run belongs to --apply/],
    [['policy', 'require', 's3://bucket', '--apply', '--config', '/nowhere'], /cannot be read/],
  ] as const) {
    const { code, out, err } = await say(...args)
    t.equal(code, 1, args.join(' '))
    t.equal(out, '')
    t.match(err, reason)
  }
})

t.test('--apply shows the difference, sets it, and the second time there is nothing to do', async (t) => {
  const { config, side } = await makeStand(t)
  const mine = {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Mine',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: 'arn:aws:s3:::bucket/*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  }
  t.equal((await s3(side, 'PUT', '/bucket', { query: { policy: '' }, body: JSON.stringify(mine) })).status, 204)
  const apply = (...more: string[]) => say('policy', 'require', 's3://bucket', '--apply', '--config', config, ...more)
  const dry = await apply('--dry-run')
  t.equal(dry.code, 0)
  t.match(dry.out, /^\+.*SsecProxyRequireSSECUploads/m)
  t.notMatch(dry.out, /^-.*Mine/m)
  t.equal((await s3(side, 'PUT', '/bucket/plain', { body: 'x' })).status, 200, 'a dry run sets nothing')
  const set = await apply()
  t.equal(set.code, 0, set.err)
  t.match(set.out, /the policy of bucket is set/)
  const now = await s3(side, 'GET', '/bucket', { query: { policy: '' } })
  t.match(JSON.parse(now.text), { Statement: [{ Sid: 'Mine' }, { Sid: 'SsecProxyRequireSSECUploads' }] })
  t.match((await apply()).out, /says so already/)
})

t.test('under the policy S3 denies every way to store in the clear, and all goes through the proxy', async (t) => {
  const { origin, config, side } = await makeStand(t)
  await s3(side, 'PUT', '/bucket/before', { body: 'x' })
  t.equal((await say('policy', 'require', 's3://bucket', '--apply', '--config', config)).code, 0)
  for (const [what, method, path, more] of [
    ['PutObject', 'PUT', '/bucket/a', { body: 'x' }],
    ['CopyObject', 'PUT', '/bucket/b', { headers: { 'x-amz-copy-source': '/bucket/before' } }],
    ['CreateMultipartUpload', 'POST', '/bucket/c', { query: { uploads: '' } }],
  ] as const) {
    const answer = await s3(side, method, path, more)
    t.match(answer.text, /<Code>AccessDenied<\/Code>/, what)
  }
  const proxy = await startTestProxy(t, { upstream: upstreamOf(origin.port) })
  const client = { port: proxy.port, ...CLIENT }
  t.equal((await s3(client, 'PUT', '/bucket/a', { body: 'x' })).status, 200)
  t.equal((await s3(client, 'PUT', '/bucket/b', { headers: { 'x-amz-copy-source': '/bucket/a' } })).status, 200)
  const created = await s3(client, 'POST', '/bucket/c', { query: { uploads: '' } })
  const uploadId = /<UploadId>([^<]+)/.exec(created.text)?.[1] ?? ''
  const part = await s3(client, 'PUT', '/bucket/c', { query: { partNumber: '1', uploadId }, body: 'x' })
  t.equal(part.status, 200)
  const etag = String(part.headers['etag'])
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
  const completed = await s3(client, 'POST', '/bucket/c', { query: { uploadId }, body })
  t.match(completed.text, /CompleteMultipartUploadResult/)
  t.equal((await s3(client, 'GET', '/bucket/c')).text, 'x')
  t.equal(origin.objects('bucket').filter(({ encrypted }) => !encrypted).length, 1, 'only what was before')
})

t.test('`restrict` is the other way round', async (t) => {
  const { origin, config, side } = await makeStand(t)
  t.equal((await say('policy', 'restrict', 's3://bucket/safe/', '--apply', '--config', config)).code, 0)
  const proxy = await startTestProxy(t, { upstream: upstreamOf(origin.port) })
  const client = { port: proxy.port, ...CLIENT }
  t.equal((await s3(client, 'PUT', '/bucket/safe/a', { body: 'x' })).status, 403)
  t.equal((await s3(client, 'PUT', '/bucket/other', { body: 'x' })).status, 200)
  t.equal((await s3(side, 'PUT', '/bucket/safe/a', { body: 'x' })).status, 200)
})

t.test('no permission, no such bucket, and a store that keeps another policy', async (t) => {
  const { origin, config } = await makeStand(t)
  const missing = await say('policy', 'require', 's3://nowhere', '--apply', '--config', config)
  t.equal(missing.code, 1)
  t.match(missing.err, /NoSuchBucket.*check the name of the bucket/)
  origin.faults.intercept = ({ target, method }) =>
    target.includes('policy') && method === 'GET'
      ? { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
      : { type: 'proceed' }
  const denied = await say('policy', 'require', 's3://bucket', '--apply', '--config', config)
  t.equal(denied.code, 1)
  t.match(denied.err, /GetBucketPolicy.*AccessDenied/)
  origin.faults.intercept = ({ target, method }) =>
    target.includes('policy') && method === 'PUT' ? { type: 'answer', status: 204 } : { type: 'proceed' }
  const ignored = await say('policy', 'require', 's3://bucket', '--apply', '--config', config)
  t.equal(ignored.code, 1)
  t.match(ignored.err, /reads back as another one/)
})
