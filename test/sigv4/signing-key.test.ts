import t from 'tap'
import {
  rememberSigningKey,
  sameSignature,
  scopeText,
  sha256,
  signatureOf,
  signingKeyOf,
} from '../../src/sigv4/signing-key.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { scope, secret } from './examples.js'

t.test("the key signs AWS's string to sign as AWS does", (t) => {
  const toSign = `AWS4-HMAC-SHA256\n20130524T000000Z\n${scopeText(scope)}\n7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972`
  t.equal(
    signatureOf(signingKeyOf(secret, scope), toSign),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  )
  t.end()
})

t.test('each part of scope and secret makes another key', (t) => {
  const others = [
    signingKeyOf(secret, { ...scope, date: '20130525' }),
    signingKeyOf(secret, { ...scope, region: 'eu-central-1' }),
    signingKeyOf(secret, { ...scope, service: 'sts' }),
    signingKeyOf(new SecretAccessKey('another'), scope),
  ]
  const keys = [signingKeyOf(secret, scope), ...others].map((key) => key.toString('hex'))
  t.equal(new Set(keys).size, 5)
  t.end()
})

t.test('remembering changes nothing: the same after many other scopes, and for an equal secret', (t) => {
  const before = signingKeyOf(secret, scope).toString('hex')
  for (let day = 0; day < 40; day += 1) {
    const other = { ...scope, date: String(20200101 + day) }
    rememberSigningKey(secret, other, signingKeyOf(secret, other))
  }
  t.equal(signingKeyOf(secret, scope).toString('hex'), before)
  t.equal(signingKeyOf(new SecretAccessKey(secret.reveal()), scope).toString('hex'), before)
  t.end()
})

t.test('signatures are the same only if all of them is', (t) => {
  const signature = sha256('x')
  t.ok(sameSignature(signature, signature))
  t.notOk(sameSignature(signature, `${signature.slice(0, -1)}0`))
  t.notOk(sameSignature(signature, signature.slice(0, -1)))
  t.notOk(sameSignature(signature, ''))
  t.notOk(sameSignature(signature, signature.toUpperCase()))
  // One character, two bytes in UTF-8: no throw for different lengths.
  t.notOk(sameSignature(signature, `${signature.slice(0, -1)}ü`))
  t.end()
})

t.test('strings are hashed as the bytes that they stand for', (t) => {
  t.equal(sha256('\xfc'), sha256(Buffer.from([0xfc])))
  t.end()
})
