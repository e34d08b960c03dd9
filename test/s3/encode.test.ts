import fc from 'fast-check'
import t from 'tap'
import { decodeBytes, encodePath, encodeQueryPart } from '../../src/s3/encode.js'
import { bytesOf, refusal } from './refusal.js'
import { unicode } from './unicode.js'

const any = unicode()

t.test('encodes as RFC 3986 and SigV4 say', (t) => {
  t.equal(encodePath('a/b c'), 'a/b%20c')
  t.equal(encodeQueryPart('a/b c'), 'a%2Fb%20c')
  t.equal(encodePath('-._~'), '-._~')
  t.equal(encodePath("!*'()"), '%21%2A%27%28%29')
  t.equal(encodePath('@=+&;:,$?#[]'), '%40%3D%2B%26%3B%3A%2C%24%3F%23%5B%5D')
  t.equal(encodePath('%2F'), '%252F')
  t.equal(encodePath('//../.'), '//../.')
  t.equal(encodePath('ä€😀'), '%C3%A4%E2%82%AC%F0%9F%98%80')
  t.equal(encodePath('\0\x7f'), '%00%7F')
  t.end()
})

t.test('every ASCII character is encoded exactly if it is not unreserved', (t) => {
  for (let code = 0; code < 128; code += 1) {
    const character = String.fromCharCode(code)
    const bare = /[A-Za-z0-9._~-]/.test(character)
    const escaped = `%${code.toString(16).toUpperCase().padStart(2, '0')}`
    t.equal(encodeQueryPart(character), bare ? character : escaped)
    t.equal(encodePath(character), bare || character === '/' ? character : escaped)
  }
  t.end()
})

t.test('what needs no escape and what does are encoded by one rule', (t) => {
  const plainly = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
  const mostlyBare = fc.string({
    unit: fc.constantFrom('a', 'Z', '9', '/', '-', '.', '_', '~', '!', '+', 'ä'),
    maxLength: 6,
  })
  fc.assert(fc.property(fc.oneof(any, mostlyBare), (text) => encodeQueryPart(text) === plainly(text)))
  fc.assert(
    fc.property(fc.oneof(any, mostlyBare), (text) => encodePath(text) === text.split('/').map(plainly).join('/')),
  )
  t.end()
})

t.test('any Unicode text comes back', (t) => {
  fc.assert(fc.property(any, (text) => decodeBytes(encodePath(text)) === text))
  fc.assert(fc.property(any, (text) => decodeBytes(encodeQueryPart(text)) === text))
  fc.assert(fc.property(any, (text) => text.includes('%') || decodeBytes(bytesOf(text)) === text))
  fc.assert(fc.property(any, (text) => /^[A-Za-z0-9._~/%-]*$/.test(encodePath(text))))
  t.end()
})

t.test('decodes once', (t) => {
  t.equal(decodeBytes('%252F'), '%2F')
  t.equal(decodeBytes('%2f%2F'), '//')
  t.equal(decodeBytes('a+b%2Bc'), 'a+b+c')
  t.equal(decodeBytes('%EF%BB%BFa'), '\ufeffa', 'a byte order mark is a character of the key')
  t.equal(decodeBytes('\xc3\xa4%C3%A4'), 'ää')
  t.equal(decodeBytes('\xc3%A4'), 'ä')
  t.end()
})

t.test('refuses what is no text', (t) => {
  const bad = ['%', '%2', '%zz', '%2x', 'a%', '%%41', '%C3', '\xff', '%C0%AF', '%ED%A0%80', '%F4%90%80%80', '\xe4', 'ā']
  for (const raw of bad) t.equal(refusal(() => decodeBytes(raw)).code, 'InvalidURI', JSON.stringify(raw))
  t.equal(refusal(() => encodePath('\ud800')).code, 'InvalidURI')
  t.equal(refusal(() => encodeQueryPart('a\udc00')).code, 'InvalidURI')
  t.end()
})
