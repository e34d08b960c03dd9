import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { customerKeyInQuery, parseClientKey } from '../../src/s3/client-key.js'
import { S3Error } from '../../src/s3/error.js'
import { targetHeaders } from '../../src/s3/customer-key.js'

const bytes = randomBytes(32)
const key = bytes.toString('base64')
const md5 = createHash('md5').update(bytes).digest('base64')
const T = 'x-amz-server-side-encryption-customer-'
const good = { [`${T}algorithm`]: 'AES256', [`${T}key`]: key, [`${T}key-md5`]: md5 }

const ask = (fields: Record<string, string | undefined>, side: 'target' | 'copy-source' = 'target') => {
  const given = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  try {
    return parseClientKey(new Map(given), side)
  } catch (error) {
    if (error instanceof S3Error) return `${error.code} ${error.extra['ArgumentName'] ?? ''}: ${error.message}`
    throw error
  }
}

t.test('a key as S3 takes it comes back the same', async (t) => {
  const found = ask(good)
  if (typeof found === 'string') throw new Error(found)
  t.same(targetHeaders(found.key), good)
  const source = Object.fromEntries(
    Object.entries(good).map(([name, value]) => [name.replace('x-amz-', 'x-amz-copy-source-'), value]),
  )
  const other = ask(source, 'copy-source')
  if (typeof other === 'string') throw new Error(other)
  t.ok(other.key.equals(found.key))
})

t.test("what S3 refuses is refused in S3's words, and no value is repeated", async (t) => {
  const needs = 'Requests specifying Server Side Encryption with Customer provided keys must provide'
  const wrongSize = `InvalidArgument ${T}key: The secret key was invalid for the specified algorithm.`
  const wrongMd5 = `InvalidArgument ${T}key-MD5: The calculated MD5 hash of the key did not match the hash that was provided.`
  const textMd5 = createHash('md5').update(key).digest('base64')
  const cases: [Record<string, string | undefined>, string][] = [
    [{ [`${T}algorithm`]: undefined }, `InvalidArgument ${T}algorithm: ${needs} a valid encryption algorithm.`],
    [{ [`${T}key`]: undefined }, `InvalidArgument ${T}key: ${needs} an appropriate secret key.`],
    [
      { [`${T}key-md5`]: undefined },
      `InvalidArgument ${T}key-MD5: ${needs} the client calculated MD5 of the secret key.`,
    ],
    [{ [`${T}key`]: randomBytes(16).toString('base64') }, wrongSize],
    [{ [`${T}key`]: key.slice(0, -1) }, wrongSize],
    [{ [`${T}key`]: `${key},${key}` }, wrongSize],
    [{ [`${T}key`]: '' }, wrongSize],
    [{ [`${T}key`]: bytes.toString('hex') }, wrongSize],
    [{ [`${T}key-md5`]: textMd5 }, wrongMd5],
    [{ [`${T}key-md5`]: `${md5},${md5}` }, wrongMd5],
    [{ [`${T}key-md5`]: '' }, wrongMd5],
    [
      { 'x-amz-server-side-encryption': 'AES256' },
      'InvalidArgument x-amz-server-side-encryption: Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
    ],
  ]
  for (const algorithm of ['AES128', 'aes256', 'AES256,AES256', '']) {
    cases.push([
      { [`${T}algorithm`]: algorithm },
      `InvalidEncryptionAlgorithmError ${T}algorithm: The encryption request that you specified is not valid. The valid value is AES256.`,
    ])
  }
  for (const [change, expected] of cases) {
    const answer = ask({ ...good, ...change })
    t.equal(answer, expected)
    t.notMatch(answer, key.slice(0, 12))
  }
})

t.test('a key in a query is noticed however it is written', async (t) => {
  t.ok(customerKeyInQuery(['X-Amz-Server-Side-Encryption-Customer-Key']))
  t.ok(customerKeyInQuery(['x', 'x-amz-copy-source-server-side-encryption-customer-key']))
  t.notOk(customerKeyInQuery(['x-amz-server-side-encryption-customer-algorithm', 'versionId']))
})
