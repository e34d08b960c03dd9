import fc from 'fast-check'
import t from 'tap'
import { keyFromBase64, keyFromBytes } from '../../src/keyring/key-bytes.js'
import { bytesOf, hex } from './material.js'

const good = bytesOf('bytes').toString('base64')

t.test('32 bytes, as they are', async () => {
  const property = fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
    const result = keyFromBase64(Buffer.from(bytes).toString('base64'))
    if (new Set(bytes).size === 1) return result.type === 'refused'
    return result.type === 'key' && hex(result.key) === Buffer.from(bytes).toString('hex')
  })
  fc.assert(property)
})

t.test('nothing else', async (t) => {
  // Of the last letter before '=' only four bits count: these two spell the same 32 bytes, one of them not canonically.
  const strayBits = `${good.slice(0, 42)}${String.fromCharCode(good.charCodeAt(42) + 1)}=`
  t.ok(Buffer.from(strayBits, 'base64').equals(Buffer.from(good, 'base64')))
  for (const [what, text] of Object.entries({
    'stray bits': strayBits,
    'no padding': good.slice(0, -1),
    'too much padding': `${good}=`,
    'white space around': ` ${good}`,
    'a line end': `${good}\n`,
    'white space inside': `${good.slice(0, 20)} ${good.slice(20)}`,
    'the URL alphabet': Buffer.alloc(32, 'ÿþ', 'latin1').toString('base64url').concat('='),
    hex: bytesOf('bytes').toString('hex'),
    empty: '',
    'base64 of base64': Buffer.from(good).toString('base64'),
    '31 bytes': bytesOf('bytes').subarray(1).toString('base64'),
    '33 bytes': Buffer.concat([bytesOf('bytes'), Buffer.of(1)]).toString('base64'),
    'AES-128': bytesOf('bytes').subarray(16).toString('base64'),
    zeros: Buffer.alloc(32).toString('base64'),
    'one byte repeated': Buffer.alloc(32, 0x41).toString('base64'),
  })) {
    const result = keyFromBase64(text)
    t.equal(result.type, 'refused', what)
    if (result.type !== 'refused') continue
    t.ok(text === '' || !result.message.includes(text.slice(0, 8)), `${what}: the message shows nothing of it`)
  }
})

t.test('the bytes themselves are checked the same way', async (t) => {
  t.equal(keyFromBytes(bytesOf('bytes')).type, 'key')
  t.strictSame(keyFromBytes(Buffer.alloc(31, 'ab')), { type: 'refused', message: 'is 31 bytes long instead of 32' })
  t.equal(keyFromBytes(Buffer.alloc(32)).type, 'refused')
})
