import t from 'tap'
import { parseVersion2 } from '../../src/sigv2/authorization.js'
import { queryOf } from '../sigv4/examples.js'
import { codeOf, errorOf } from './examples.js'

const header = (authorization: string, query = '') =>
  parseVersion2(new Map([['authorization', authorization]]), queryOf(query))
const presigned = (query: string) => parseVersion2(new Map(), queryOf(query))

t.test('no signature of this version', (t) => {
  t.same(parseVersion2(new Map(), new Map()), { type: 'none' })
  for (const other of ['AWS4-HMAC-SHA256 Credential=x', 'Basic eA==', 'aws a:b', 'AWSx a:b', 'AWS']) {
    t.same(header(other), { type: 'none' }, other)
  }
  t.same(presigned('Expires=1&X-Amz-Signature=x'), { type: 'none' })
  t.end()
})

t.test('the header, in every spacing', (t) => {
  const expected = { type: 'version-2-header', accessKeyId: 'AKID', signature: 'frJIUN8DYpKDtOLCwo//yllqDzg=' }
  for (const text of [
    'AWS AKID:frJIUN8DYpKDtOLCwo//yllqDzg=',
    'AWS  \t AKID:frJIUN8DYpKDtOLCwo//yllqDzg=',
    'AWS AKID: frJIUN8DYpKDtOLCwo//yllqDzg= ',
  ]) {
    t.same(header(text), expected, text)
  }
  t.match(header('AWS team:one:AKID:eA=='), { accessKeyId: 'team:one:AKID', signature: 'eA==' })
  for (const text of ['AWS ', 'AWS AKID', 'AWS AKID:', 'AWS :eA==', 'AWS AKID:é', 'AWS A B:eA==', 'AWS AKID:eA== x']) {
    t.match(
      errorOf(() => header(text)),
      { code: 'InvalidArgument', message: 'AWS authorization header is invalid.  Expected AwsAccessKeyId:signature' },
      text,
    )
  }
  t.end()
})

t.test('the query needs all three parameters', (t) => {
  t.same(presigned('AWSAccessKeyId=AKID&Expires=1175139620&Signature=a%2Bb%3D'), {
    type: 'version-2-presigned',
    accessKeyId: 'AKID',
    signature: 'a+b=',
    expires: '1175139620',
  })
  for (const query of [
    'AWSAccessKeyId=AKID',
    'Signature=x',
    'AWSAccessKeyId=AKID&Signature=x',
    'AWSAccessKeyId=AKID&Signature=&Expires=1',
    'Expires=1&Signature=x',
  ]) {
    t.match(
      errorOf(() => presigned(query)),
      {
        code: 'AccessDenied',
        message: 'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
      },
      query,
    )
  }
  for (const expires of ['soon', '1.5', '1e9', ' 1', '9999999999999999', '-9999999999999', '0x10', '%2B1']) {
    t.equal(
      codeOf(() => presigned(`AWSAccessKeyId=AKID&Signature=x&Expires=${expires}`)),
      'AccessDenied',
      expires,
    )
  }
  t.end()
})

t.test('two ways at once are refused, whichever is right', (t) => {
  const query = 'AWSAccessKeyId=AKID&Expires=1&Signature=x'
  const both: (readonly [string, string])[] = [
    ['AWS AKID:eA==', query],
    ['AWS4-HMAC-SHA256 Credential=x', query],
    ['Basic eA==', query],
    ['AWS AKID:eA==', 'Signature=x'],
    ['AWS AKID:eA==', 'X-Amz-Signature=x'],
    ['AWS AKID:eA==', 'X-Amz-Algorithm=AWS4-HMAC-SHA256'],
  ]
  for (const [authorization, more] of both) {
    t.equal(
      codeOf(() => header(authorization, more)),
      'InvalidArgument',
      `${authorization} ${more}`,
    )
  }
  t.equal(
    codeOf(() => presigned(`${query}&X-Amz-Credential=x`)),
    'InvalidArgument',
  )
  t.end()
})
