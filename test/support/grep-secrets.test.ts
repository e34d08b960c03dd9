import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { findSecrets, searchRecord } from './grep-secrets.js'

// bytes of every kind, so that each form differs from the others: + and / in base64, quotes, controls, above 127
const KEY = Buffer.from('fbefbe00ff0a0d22275c3c3e7f80fb1f2e3d4c5b6a79889714a5b4c3d2e1f0fa', 'hex')
const SECRETS = [{ label: 'the key', bytes: KEY.toString('base64') }]

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const found = (text: string) => findSecrets(text, SECRETS, 'here')

t.test('a planted key is found, however it is written', async (t) => {
  const planted = {
    hex: KEY.toString('hex'),
    'hex, upper case': KEY.toString('hex').toUpperCase(),
    base64: KEY.toString('base64'),
    base64url: KEY.toString('base64url'),
    'raw bytes': KEY.toString('latin1'),
    'a string of its bytes as UTF-8': bytesOf(KEY.toString('latin1')),
    'JSON of a Buffer': JSON.stringify(KEY),
    'JSON of a Buffer, indented': JSON.stringify([...KEY], null, 0),
    'numbers of an inspected array': inspect(new Uint8Array(KEY), { breakLength: Infinity }),
    'an inspected Buffer': inspect(KEY),
    'a fingerprint-like form': KEY.toString('hex').match(/../g)!.join(':'),
    'percent-encoded base64': encodeURIComponent(KEY.toString('base64')),
    'JSON of a header': JSON.stringify({ 'x-amz-server-side-encryption-customer-key': KEY.toString('base64') }),
  }
  for (const [name, text] of Object.entries(planted)) {
    t.not(found(`before\n${text} after`).length, 0, name)
  }
  for (const before of ['', 'a', 'ab', 'abc']) {
    const inside = Buffer.concat([Buffer.from(before), KEY, Buffer.from('zz')])
    t.not(found(inside.toString('base64')).length, 0, `inside of base64, after ${before.length} bytes`)
  }
})

t.test('a private key is found in PEM, in lines and in JSON', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const bytes = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  t.not(findSecrets(`key: ${pem}`, [{ label: 'a private key', bytes }], 'here').length, 0)
  t.not(findSecrets(JSON.stringify({ key: pem }), [{ label: 'a private key', bytes }], 'here').length, 0)
})

t.test('text secrets are found as text', async (t) => {
  const secret = [{ label: 'a secret access key', bytes: Buffer.from('some/secret+access=key').toString('base64') }]
  t.not(findSecrets('AWSSecretKey some/secret+access=key', secret, 'here').length, 0)
  t.not(findSecrets('?secret=some%2Fsecret%2Baccess%3Dkey', secret, 'here').length, 0)
})

t.test('what is not the key is not found', async (t) => {
  const other = Buffer.from(KEY)
  other[16]! ^= 1
  t.same(found([other.toString('hex'), other.toString('base64'), other.toString('latin1')].join('\n')), [])
  t.same(found(KEY.toString('hex').slice(0, -1)), [], 'one digit is missing')
  t.same(found(randomBytes(100_000).toString('latin1')), [])
})

t.test('a leak names the secret and the place, and does not show it', async (t) => {
  const [leak] = found(KEY.toString('hex'))
  t.match(leak, { label: 'the key', form: 'hex', where: 'here' })
  t.notMatch(JSON.stringify(leak), KEY.toString('hex').slice(0, 8))
})

t.test('a secret that is too short to be looked for is an error, not a silence', async (t) => {
  t.throws(() => findSecrets('', [{ label: 'short', bytes: 'YWJj' }], 'here'), /short/)
})

t.test('a record is searched file by file', async (t) => {
  const folder = t.testdir({ 'clean.log': 'nothing here', 'secrets.jsonl': `${JSON.stringify(SECRETS[0])}\n` })
  t.match(searchRecord(folder), { secrets: 1, leaks: [], files: [{ name: 'clean.log', bytes: 12 }] })
  writeFileSync(join(folder, 'proxy.log'), `{"customerKey":"${KEY.toString('base64')}"}`)
  t.match(searchRecord(folder).leaks, [{ label: 'the key', form: 'base64', where: 'proxy.log' }])
})
