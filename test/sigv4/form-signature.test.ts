import { readFileSync } from 'node:fs'
import t from 'tap'
import { checkPostPolicy } from '../../src/s3/check-post-policy.js'
import { parsePostPolicy } from '../../src/s3/post-policy.js'
import { parseFormAuthorization, signForm, verifyFormSignature } from '../../src/sigv4/form-signature.js'
import { signingKeyOf } from '../../src/sigv4/signing-key.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { version2Signature } from '../../src/sigv2/signature.js'
import { refusalOf } from '../s3/refusal.js'

interface Example {
  readonly secretAccessKey: string
  readonly bucket: string
  readonly policy: string
  readonly signature: string
  readonly fields: Readonly<Record<string, string>>
}
const file = new URL('../vectors/forms/aws-examples.json', import.meta.url)
const { v4, v2 } = JSON.parse(readFileSync(file, 'utf8')) as { readonly v4: Example; readonly v2: Example }
const fieldsOf = (example: Example, more: Readonly<Record<string, string>> = {}) =>
  new Map(Object.entries({ ...example.fields, policy: example.policy, ...more }))

t.test("AWS's V4 example", (t) => {
  const secret = new SecretAccessKey(v4.secretAccessKey)
  const fields = fieldsOf(v4, { 'x-amz-signature': v4.signature })
  const authorization = parseFormAuthorization(fields)
  t.equal(authorization.scope.accessKeyId, 'AKIAIOSFODNN7EXAMPLE')
  verifyFormSignature(authorization, secret, ['us-east-1'])
  t.equal(refusalOf(() => verifyFormSignature(authorization, secret, ['eu-central-1'])).code, 'InvalidArgument')
  const spoiled = { ...authorization, signature: `0${v4.signature.slice(1)}` }
  const refusal = refusalOf(() => verifyFormSignature(spoiled, secret, []))
  t.equal(refusal.code, 'SignatureDoesNotMatch')
  t.equal(refusal.extra['StringToSign'], v4.policy)
  const policy = parsePostPolicy(v4.policy)
  const before = new Date('2015-12-30T11:59:59Z')
  t.same(checkPostPolicy(policy, fields, v4.bucket, before), { min: 0, max: 5 * 1024 ** 3 })
  const late = refusalOf(() => checkPostPolicy(policy, fields, v4.bucket, new Date('2015-12-30T12:00:00Z')))
  t.equal(late.message, 'Invalid according to Policy: Policy expired.')
  t.end()
})

t.test('what strangers name as day and region does not push out the signing keys in use', (t) => {
  const secret = new SecretAccessKey(v4.secretAccessKey)
  const authorization = parseFormAuthorization(fieldsOf(v4, { 'x-amz-signature': v4.signature }))
  verifyFormSignature(authorization, secret, [])
  const inUse = signingKeyOf(secret, authorization.scope)
  for (let day = 1; day <= 40; day += 1) {
    const scope = { ...authorization.scope, date: String(20200100 + day), region: `region-${day}` }
    t.throws(() => verifyFormSignature({ ...authorization, scope }, secret, []))
    t.not(signingKeyOf(secret, scope), signingKeyOf(secret, scope), 'not remembered')
  }
  t.equal(signingKeyOf(secret, authorization.scope), inUse, 'the very same bytes: remembered all along')
  t.end()
})

t.test("AWS's V2 example", (t) => {
  t.equal(version2Signature(new SecretAccessKey(v2.secretAccessKey), v2.policy), v2.signature)
  const fields = fieldsOf(v2, { signature: v2.signature, file: '' })
  checkPostPolicy(parsePostPolicy(v2.policy), fields, v2.bucket, new Date('2007-11-14T21:21:33Z'))
  t.end()
})

t.test('a policy that holds a key of the client is not repeated', (t) => {
  const policy = Buffer.from('{"conditions":[{"x-amz-server-side-encryption-customer-key":"c2VjcmV0"}]}').toString(
    'base64',
  )
  const scope = { accessKeyId: 'A', date: '20151229', region: 'us-east-1', service: 's3' }
  const refusal = refusalOf(() => verifyFormSignature({ scope, policy, signature: '0' }, new SecretAccessKey('x'), []))
  t.equal(refusal.extra['StringToSign'], undefined)
  t.end()
})

t.test('what is missing or malformed is named', (t) => {
  const good = Object.fromEntries(fieldsOf(v4, { 'x-amz-signature': v4.signature }))
  const wrong: readonly (readonly [string, string, string])[] = [
    ['policy', '', "field named 'policy'"],
    ['x-amz-date', '', "field named 'X-Amz-Date'"],
    ['x-amz-algorithm', 'AWS4-HMAC-SHA1', 'only supports'],
    ['x-amz-algorithm', 'AWS4-ECDSA-P256-SHA256', 'SigV4A'],
    ['x-amz-date', '20151230T000000Z', 'Invalid credential date'],
    ['x-amz-date', 'yesterday', 'ISO8601'],
    ['x-amz-credential', 'A/20151229/us-east-1/s3', 'mal-formed'],
    ['x-amz-credential', 'A/20151229/us-east-1/iam/aws4_request', 'incorrect service'],
  ]
  for (const [name, value, words] of wrong) {
    t.match(refusalOf(() => parseFormAuthorization(new Map(Object.entries({ ...good, [name]: value })))).message, words)
  }
  t.end()
})

t.test('our own form: everything has a condition, the key is not in the policy, and a $ is not compared', (t) => {
  const key = 'x-amz-server-side-encryption-customer-key'
  const now = new Date('2026-01-02T03:04:05Z')
  const credentials = {
    accessKeyId: 'OURS',
    secretAccessKey: new SecretAccessKey('secret'),
    sessionToken: new SecretAccessKey('token-of-ours'),
  }
  const given = [
    ['key', 'a$b"\\ž'],
    [key, 'S0VZ'],
    ['x-amz-meta-a', ''],
  ] as const
  const fields = new Map(
    signForm({ bucket: 'bucket', fields: given, minLength: 1, maxLength: 9, credentials, region: 'eu-west-1', now }),
  )
  const text = Buffer.from(fields.get('policy')!, 'base64').toString('utf8')
  t.notMatch(text, 'S0VZ')
  t.notMatch(text, 'token-of-ours')
  t.match(text, '["starts-with","$key","a"]')
  t.equal(fields.get('x-amz-security-token'), 'token-of-ours')
  verifyFormSignature(parseFormAuthorization(fields), credentials.secretAccessKey, ['eu-west-1'])
  const policy = parsePostPolicy(fields.get('policy')!)
  t.same(checkPostPolicy(policy, fields, 'bucket', now), { min: 1, max: 9 })
  t.equal(
    refusalOf(() => checkPostPolicy(policy, new Map([...fields, ['x-amz-meta-a', 'b']]), 'bucket', now)).code,
    'AccessDenied',
  )
  t.equal(refusalOf(() => checkPostPolicy(policy, fields, 'other', now)).code, 'AccessDenied')
  t.end()
})
