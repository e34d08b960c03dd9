import t from 'tap'
import {
  findingsOf,
  isForAll,
  isSamePolicy,
  parseBucketPolicy,
  policyOf,
  withStatement,
  type BucketPolicy,
} from '../../src/s3/bucket-policy.js'

const scope = { bucket: 'amzn-s3-demo-bucket', prefix: '', principal: 'everybody', partition: 'aws' } as const
const read = (document: object): BucketPolicy => {
  const policy = parseBucketPolicy(JSON.stringify(document))
  if (policy === 'unreadable') throw new Error('unreadable')
  return policy
}

t.test("AWS's own example of a policy that requires customer keys, but for its names", async (t) => {
  t.same(policyOf('require', scope), {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'SsecProxyRequireSSECUploads',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::amzn-s3-demo-bucket/*',
        Condition: { Null: { 's3:x-amz-server-side-encryption-customer-algorithm': 'true' } },
      },
    ],
  })
  t.match(policyOf('restrict', scope).Statement[0], {
    Condition: { Null: { 's3:x-amz-server-side-encryption-customer-algorithm': 'false' } },
  })
})

t.test('a prefix is literal, a principal and a partition have their places', async (t) => {
  const [statement] = policyOf('require', {
    ...scope,
    prefix: 'a*b?c$d/',
    principal: 'arn:aws-cn:iam::123456789012:role/app',
    partition: 'aws-cn',
  }).Statement
  t.equal(statement?.['Resource'], 'arn:aws-cn:s3:::amzn-s3-demo-bucket/a${*}b${?}c${$}d/*')
  t.same(statement?.['Principal'], { AWS: 'arn:aws-cn:iam::123456789012:role/app' })
})

t.test('the statement joins a policy that is there, once, and changes nothing else', async (t) => {
  const own = { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::1:root' }, Action: 's3:*', Resource: 'arn:aws:s3:::b' }
  const before = read({ Version: '2012-10-17', Id: 'mine', Statement: own })
  const once = withStatement(before, 'require', scope)
  t.equal(once.Statement.length, 2)
  t.same(once.Statement[0], own)
  t.equal(once['Id'], 'mine')
  t.same(withStatement(once, 'require', scope), once)
  // One about less does not take the place of one about more, nor two of parts that of each other.
  const a = withStatement(once, 'require', { ...scope, prefix: 'a/' })
  const both = withStatement(a, 'require', { ...scope, prefix: 'b/' })
  t.same(
    both.Statement.map(({ Resource }) => Resource),
    ['arn:aws:s3:::b', ...['', 'a/', 'b/'].map((prefix) => `arn:aws:s3:::amzn-s3-demo-bucket/${prefix}*`)],
  )
  t.equal(new Set(both.Statement.map(({ Sid }) => Sid)).size, 4)
  t.match(both.Statement[3]?.['Sid'], /^[A-Za-z0-9]+$/)
  t.same(withStatement(both, 'require', { ...scope, prefix: 'a/' }), both)
  t.equal(withStatement(once, 'restrict', scope).Statement.length, 3)
})

t.test('what a store gives back in another form is the same policy', async (t) => {
  const ours = policyOf('require', scope)
  const minio = read({
    Statement: [
      {
        Action: ['s3:PutObject'],
        Resource: ['arn:aws:s3:::amzn-s3-demo-bucket/*'],
        Principal: { AWS: ['*'] },
        Condition: { Null: { 's3:x-amz-server-side-encryption-customer-algorithm': [true] } },
        Effect: 'Deny',
        Sid: 'SsecProxyRequireSSECUploads',
      },
    ],
    Version: '2012-10-17',
  })
  t.ok(isSamePolicy(ours, minio))
  t.notOk(isSamePolicy(ours, policyOf('restrict', scope)))
  t.notOk(isSamePolicy(ours, 'none'))
  t.ok(isSamePolicy('none', 'none'))
})

t.test('what a policy means for uploads under customer keys', async (t) => {
  const deny = (Condition: object, Action: string | string[] = 's3:PutObject') =>
    findingsOf(read({ Statement: [{ Effect: 'Deny', Principal: '*', Action, Resource: '*', Condition }] })).map(
      ({ type }) => type,
    )
  const algorithm = 's3:x-amz-server-side-encryption-customer-algorithm'
  const managed = 's3:x-amz-server-side-encryption'
  t.same(deny({ Null: { [algorithm]: 'true' } }), ['requires'])
  t.same(deny({ Null: { [algorithm]: true } }, ['s3:GetObject', 's3:Put*']), ['requires'])
  t.same(deny({ null: { 'S3:X-Amz-Server-Side-Encryption-Customer-Algorithm': ['false'] } }, 's3:*'), ['restricts'])
  t.same(deny({ StringNotEquals: { [algorithm]: 'AES256' } }), ['requires'])
  t.same(deny({ StringNotEquals: { [managed]: 'aws:kms' } }), ['wants-other'])
  t.same(deny({ Null: { [managed]: 'true' } }), ['wants-other'])
  t.same(deny({ Null: { [managed]: 'false' } }), [])
  t.same(deny({ Bool: { 'aws:SecureTransport': 'false' } }, 's3:*'), [])
  t.same(deny({ Null: { [algorithm]: 'true' } }, 's3:GetObject'), [])
  t.same(
    findingsOf(read({ Statement: [{ Effect: 'Allow', Action: '*', Condition: { Null: { [algorithm]: 'true' } } }] })),
    [],
  )
})

t.test('what is about everybody and all objects, and what only seems so', async (t) => {
  const [ours] = policyOf('require', scope).Statement
  if (ours === undefined) throw new Error('no statement')
  const { bucket } = scope
  const other = { 'aws:SourceVpc': 'vpc-1' }
  t.ok(isForAll(ours, bucket))
  t.ok(isForAll({ ...ours, Principal: { AWS: ['*'] }, Resource: ['arn:aws:s3:::x', '*'] }, bucket))
  t.notOk(isForAll({ ...ours, Resource: `arn:aws:s3:::${bucket}/in/*` }, bucket))
  t.notOk(isForAll({ ...ours, Resource: 'arn:aws:s3:::other/*' }, bucket))
  t.notOk(isForAll({ ...ours, Principal: { AWS: 'arn:aws:iam::123456789012:role/app' } }, bucket))
  t.notOk(isForAll({ Effect: 'Deny', NotPrincipal: '*', Resource: '*' }, bucket))
  t.notOk(isForAll({ ...ours, Condition: { ...(ours['Condition'] as object), StringNotEquals: other } }, bucket))
})

t.test('what is no policy', async (t) => {
  for (const text of ['', 'x', '[]', 'null', '"a"', '{"Statement":["a"]}', '{"Statement":5}'])
    t.equal(parseBucketPolicy(text), 'unreadable', text)
})
