import { createHash, type KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import {
  keptSigningKey,
  rememberSigningKey,
  sameSignature,
  scopeText,
  sha256,
  signatureOf,
  signingKeyOf,
} from '../../src/sigv4/signing-key.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { scope, secret } from './examples.js'

const hex = (key: KeyObject): string => key.export().toString('hex')

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
  const keys = [signingKeyOf(secret, scope), ...others].map((key) => hex(key))
  t.equal(new Set(keys).size, 5)
  t.end()
})

t.test('remembering changes nothing: the same after many other scopes, and for an equal secret', (t) => {
  const before = hex(signingKeyOf(secret, scope))
  for (let day = 0; day < 40; day += 1) {
    const other = { ...scope, date: String(20200101 + day) }
    rememberSigningKey(secret, other, signingKeyOf(secret, other))
  }
  t.equal(hex(signingKeyOf(secret, scope)), before)
  t.equal(hex(signingKeyOf(new SecretAccessKey(secret.reveal()), scope)), before)
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

t.test('signatures of any length are compared as bytes are, whatever was compared before', (t) => {
  const other = fc.string({ unit: fc.constantFrom('0', 'a', '\xfc', '='), minLength: 62, maxLength: 66 })
  const text = fc.oneof(other, fc.constantFrom('', 'a', 'a'.repeat(28), '0'.repeat(64), `${'0'.repeat(63)}1`))
  fc.assert(
    fc.property(text, text, (a, b) => sameSignature(a, b) === (a === b) && sameSignature(a, a)),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('a text signs the same whole and in two parts, remembered or not', (t) => {
  const own = new SecretAccessKey('parts')
  const key = signingKeyOf(own, scope)
  const before = signatureOf(key, 'head\ntail')
  t.equal(signatureOf(key, 'head\n', 'tail'), before)
  rememberSigningKey(own, scope, key)
  for (const [head, tail] of [
    ['head\n', 'tail'],
    ['head\n', 'tail'],
    ['head\ntail', ''],
    ['', 'head\ntail'],
    ['head\n', 'tail'],
  ] as const) {
    t.equal(signatureOf(key, head, tail), before)
  }
  t.end()
})

t.test('strings are hashed as the bytes that they stand for', (t) => {
  const byte = fc.oneof(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 255 }))
  const unit = byte.map((code) => String.fromCharCode(code))
  const text = fc.oneof(fc.string({ maxLength: 300, size: 'max' }), fc.string({ unit, maxLength: 300, size: 'max' }))
  fc.assert(
    fc.property(text, (each) => sha256(each) === createHash('sha256').update(each, 'latin1').digest('hex')),
    { numRuns: 1000 },
  )
  t.equal(sha256('\xfc'), sha256(Buffer.from([0xfc])))
  t.end()
})

t.test('a signing key prints none of its bytes', (t) => {
  const key = signingKeyOf(secret, scope)
  for (const shown of [inspect(key), JSON.stringify(key)]) {
    for (const encoding of ['hex', 'base64', 'latin1'] as const) {
      t.notOk(shown.includes(key.export().toString(encoding)))
    }
  }
  t.end()
})

t.test('the keys in use stay where others are remembered, up to a bound', (t) => {
  const ofDay = (day: number) => ({ ...scope, date: String(20200101 + day) })
  const own = new SecretAccessKey('bounded')
  const keys = Array.from({ length: 16 }, (_, day) => signingKeyOf(own, ofDay(day)))
  keys.forEach((key, day) => rememberSigningKey(own, ofDay(day), key))
  rememberSigningKey(own, ofDay(3), keys[3]!)
  for (const [day, key] of keys.entries()) t.equal(signingKeyOf(own, ofDay(day)), key, 'the same, not another like it')
  rememberSigningKey(own, ofDay(16), signingKeyOf(own, ofDay(16)))
  t.not(signingKeyOf(own, ofDay(0)), keys[0], 'the oldest is gone')
  t.equal(signingKeyOf(own, ofDay(1)), keys[1])
  t.end()
})

t.test('a remembered key signs as it did before', (t) => {
  const own = new SecretAccessKey('signs')
  const key = signingKeyOf(own, scope)
  const texts = ['', 'short', `AWS4-HMAC-SHA256\n${'x'.repeat(200)}`, 'short', '\xfc\n']
  const before = texts.map((text) => signatureOf(key, text))
  rememberSigningKey(own, scope, key)
  t.same(
    texts.map((text) => signatureOf(key, text)),
    before,
  )
  t.equal(keptSigningKey(own, scope), key)
  t.end()
})
