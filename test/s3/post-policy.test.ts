import t from 'tap'
import { checkPostPolicy } from '../../src/s3/check-post-policy.js'
import { parsePostPolicy } from '../../src/s3/post-policy.js'
import { refusalOf } from './refusal.js'

const NOW = new Date('2026-01-01T00:00:00Z')
const encode = (text: string): string => Buffer.from(text).toString('base64')
const policy = (...conditions: readonly unknown[]): string =>
  encode(JSON.stringify({ expiration: '2026-01-02T00:00:00Z', conditions }))
const check = (fields: Readonly<Record<string, string>>, ...conditions: readonly unknown[]) =>
  checkPostPolicy(parsePostPolicy(policy(...conditions)), new Map(Object.entries(fields)), 'bucket', NOW)
const refused = (fields: Readonly<Record<string, string>>, ...conditions: readonly unknown[]): string =>
  refusalOf(() => check(fields, ...conditions)).message.replace('Invalid according to Policy: ', '')

t.test('every kind of condition', (t) => {
  check({ key: 'a/b' }, { bucket: 'bucket' }, ['eq', '$key', 'a/b'])
  check({ key: 'a/b' }, ['starts-with', '$key', 'a/'], ['STARTS-WITH', '$KEY', ''])
  check({ key: 'a', bucket: 'another' }, { key: 'a' }, { Bucket: 'bucket' })
  check({ 'content-type': 'image/png,image/gif, image/x' }, ['starts-with', '$Content-Type', 'image/'])
  check({ key: 'a,b' }, ['starts-with', '$key', 'a'])
  check(
    { acl: 'private', tagging: '<Tagging/>', 'x-amz-meta-a': '' },
    { acl: 'private' },
    ['eq', '$tagging', '<Tagging/>'],
    ['starts-with', '$x-amz-meta-a', ''],
  )
  check({ success_action_status: '201', redirect: 'http://a' }, { success_action_status: '201' }, [
    'starts-with',
    '$redirect',
    'http',
  ])
  t.same(check({}, ['content-length-range', 1, 10], ['content-length-range', '5', '20']), { min: 5, max: 10 })
  check({ policy: 'p', signature: 's', 'x-amz-signature': 's', awsaccesskeyid: 'a', file: '', 'x-ignore-a': '' })
  t.equal(refused({ key: 'b' }, ['eq', '$key', 'a']), 'Policy Condition failed: ["eq", "$key", "a"]')
  t.equal(refused({ key: 'B' }, { key: 'b' }), 'Policy Condition failed: ["eq", "$key", "b"]', 'values have a case')
  t.equal(refused({}, ['starts-with', '$Name', '']), 'Policy Condition failed: ["starts-with", "$Name", ""]')
  t.match(
    refused({ 'content-type': 'image/png,text/html' }, ['starts-with', '$Content-Type', 'image/']),
    'Policy Condition failed',
  )
  t.match(refused({}, { bucket: 'another' }), 'Policy Condition failed')
  t.equal(refused({ acl: 'x', 'x-amz-meta-a': 'y' }), 'Extra input fields: acl, x-amz-meta-a')
  t.equal(refused({ 'x-amz-credential': 'a' }), 'Extra input fields: x-amz-credential')
  t.equal(refused({ 'x-amz-ignore': 'a' }), 'Extra input fields: x-amz-ignore')
  t.end()
})

t.test('a secret that a condition holds is not repeated', (t) => {
  for (const name of [
    'x-amz-server-side-encryption-customer-key',
    'X-Amz-Server-Side-Encryption-Customer-Key',
    'x-amz-security-token',
  ]) {
    for (const fields of [{ [name.toLowerCase()]: 'other' }, {}] as Record<string, string>[]) {
      const said = refused(fields, ['eq', `$${name}`, 'very secret'])
      t.equal(said, `Policy Condition failed: ["eq", "$${name}", "[secret]"]`)
    }
  }
  t.match(refused({}, { 'x-amz-server-side-encryption-customer-key-MD5': 'md5' }), '"md5"')
  t.end()
})

t.test('only blanks and line ends may be between the characters of the base64', (t) => {
  const document = policy({ key: 'a' })
  for (const blank of [' ', '\t', '\r\n']) parsePostPolicy(`${document.slice(0, 8)}${blank}${document.slice(8)}`)
  // Each of them ends in the byte of an allowed character or of a blank, and version 2 signs bytes.
  for (const other of ['\u202f', '\u2009', '\u2020', '\u00a0', '\ufeff', '\v'])
    t.equal(
      refusalOf(() => parsePostPolicy(`${document.slice(0, 8)}${other}${document.slice(8)}`)).message,
      'Invalid Policy: invalid Base64 encoding.',
      JSON.stringify(other),
    )
  t.end()
})

t.test('documents that are none', (t) => {
  const wrong: readonly (readonly [string, string])[] = [
    ['', 'invalid Base64 encoding.'],
    ['%', 'invalid Base64 encoding.'],
    [encode('{'), 'Invalid JSON.'],
    [encode('[]'), 'Invalid JSON.'],
    [encode('null'), 'Invalid JSON.'],
    [Buffer.from('{"a":"\xff"}', 'latin1').toString('base64'), 'Invalid JSON.'],
    [encode('{"conditions":[]}'), 'Policy missing expiration.'],
    [encode('{"expiration":"2026-01-01T00:00:00Z"}'), 'Policy missing conditions.'],
    [encode('{"expiration":"2026-01-01T00:00:00Z","conditions":{}}'), "Invalid 'conditions' value: must be a List."],
    [encode('{"expiration":"2026-01-01","conditions":[]}'), "Invalid 'expiration' value: '2026-01-01'"],
    [encode('{"expiration":"2026-13-01T00:00:00Z","conditions":[]}'), "Invalid 'expiration'"],
    [encode('{"expiration":1,"conditions":[]}'), "Invalid 'expiration' value: '1'"],
    [encode('{"expiration":"2026-01-01T00:00:00Z","conditions":[],"more":1}'), "Unexpected: 'more'"],
    [policy('a'), 'must be a List or Object'],
    [policy({}), 'exactly one property'],
    [policy({ a: 'b', c: 'd' }), 'exactly one property'],
    [policy({ a: 1 }), 'value must be a string'],
    [policy([]), 'missing operation identifier'],
    [policy(['ends-with', '$key', 'a']), "unknown operation 'ends-with'"],
    [policy(['eq', '$key']), 'wrong number of arguments'],
    [policy(['eq', 'key', 'a']), 'a $name and a string'],
    [policy(['content-length-range', -1, 2]), 'numbers of bytes'],
    [policy(['content-length-range', 1, 2.5]), 'numbers of bytes'],
    [policy(['content-length-range', 1, '']), 'numbers of bytes'],
  ]
  for (const [field, words] of wrong) {
    const refusal = refusalOf(() => parsePostPolicy(field))
    t.equal(refusal.code, 'InvalidPolicyDocument', words)
    t.match(refusal.message, words)
  }
  t.end()
})

t.test("S3's own escapes", (t) => {
  const text = '{"expiration":"2026-01-02T00:00:00.000Z","conditions":[["eq","$key","a\\$b\\\\$c\\v\\u0041"]]}'
  const { conditions } = parsePostPolicy(encode(text))
  t.same(conditions, [{ type: 'eq', name: 'key', value: 'a$b\\$c\u000bA' }])
  t.end()
})
