import { createSecretKey } from 'node:crypto'
import t from 'tap'
import {
  copySourceHeaders,
  customerKeyMD5,
  hasCustomerKeys,
  isCustomerKey,
  provesEncryption,
  sentKeyMD5,
  targetHeaders,
} from '../../src/s3/customer-key.js'
import { EncodedKey } from '../../src/s3/encoded-key.js'
import { refusal } from './refusal.js'

const SSE = 'x-amz-server-side-encryption-customer-'
const SOURCE = 'x-amz-copy-source-server-side-encryption-customer-'
const key = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))
// of the 32 bytes 00..1f, made with Python's base64 and hashlib
const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const MD5 = 'tP/LI3N87DFaSk0aoqYgzg=='

t.test('the three headers, and their twins', (t) => {
  t.strictSame(targetHeaders(key), { [`${SSE}algorithm`]: 'AES256', [`${SSE}key`]: KEY, [`${SSE}key-md5`]: MD5 })
  t.strictSame(copySourceHeaders(key), {
    [`${SOURCE}algorithm`]: 'AES256',
    [`${SOURCE}key`]: KEY,
    [`${SOURCE}key-md5`]: MD5,
  })
  t.equal(customerKeyMD5(key), MD5)
  t.end()
})

t.test('a key of another size is never sent', (t) => {
  for (const size of [1, 16, 31, 33, 64]) {
    const other = createSecretKey(Buffer.alloc(size))
    for (const make of [targetHeaders, copySourceHeaders, customerKeyMD5]) {
      t.equal(refusal(() => make(other)).code, 'InternalError')
    }
  }
  t.end()
})

t.test('a key of its own is known in whatever part of it a client sends', (t) => {
  const fields = new Map([
    ['host', 'h'],
    [`${SSE}algorithm`, 'AES256'],
    [`${SSE}key`, 'x'],
    [`${SSE}key-md5`, 'x'],
    [`${SSE}anything`, 'x'],
    [`${SOURCE}algorithm`, 'AES256'],
    [`${SOURCE}key`, 'x'],
    [`${SOURCE}key-md5`, 'x'],
    ['x-amz-server-side-encryption', 'aws:kms'],
    ['x-amz-copy-source', 'b/k'],
  ])
  t.ok(hasCustomerKeys(fields, 'target'))
  t.ok(hasCustomerKeys(fields, 'copy-source'))
  const others = new Map([...fields].filter(([name]) => !isCustomerKey(name)))
  t.strictSame([...others.keys()], ['host', 'x-amz-server-side-encryption', 'x-amz-copy-source'])
  t.notOk(hasCustomerKeys(others, 'target'))
  t.notOk(hasCustomerKeys(others, 'copy-source'))
  t.ok(hasCustomerKeys(new Map([[`${SSE}key-md5`, '']]), 'target'), 'a part of one counts')
  t.notOk(hasCustomerKeys(new Map([[`${SOURCE}key`, 'x']]), 'target'))
  t.notOk(hasCustomerKeys(new Map([[`${SSE}key`, 'x']]), 'copy-source'))
  t.end()
})

t.test('what proves the encryption', (t) => {
  const proof = (algorithm: string | undefined, md5: string | undefined) =>
    provesEncryption(
      new Map([
        ['etag', '"x"'],
        ...(algorithm === undefined ? [] : ([[`${SSE}algorithm`, algorithm]] as const)),
        ...(md5 === undefined ? [] : ([[`${SSE}key-md5`, md5]] as const)),
      ]),
      MD5,
    )
  t.equal(proof('AES256', MD5), 'proven')
  t.equal(proof(undefined, undefined), 'missing')
  t.equal(proof('AES256', undefined), 'missing')
  t.equal(proof(undefined, MD5), 'missing')
  t.equal(proof('AES256', 'AAAAAAAAAAAAAAAAAAAAAA=='), 'mismatch')
  t.equal(proof(undefined, 'AAAAAAAAAAAAAAAAAAAAAA=='), 'mismatch')
  t.equal(proof('AES128', MD5), 'mismatch')
  t.equal(proof('AES256,AES256', MD5), 'mismatch')
  t.equal(proof('', ''), 'mismatch')
  t.equal(proof('AES256', MD5.toLowerCase()), 'mismatch')
  t.equal(
    provesEncryption(new Map([['x-amz-server-side-encryption', 'AES256']]), MD5),
    'missing',
    "the store's own encryption is none of ours",
  )
  t.end()
})

t.test('an encoded key gives the same headers as a KeyObject, and is never one of another size', (t) => {
  const encoded = new EncodedKey(KEY)
  t.strictSame(targetHeaders(encoded), targetHeaders(key))
  t.strictSame(copySourceHeaders(encoded), copySourceHeaders(key))
  t.equal(customerKeyMD5(encoded), MD5)
  t.equal(sentKeyMD5(targetHeaders(encoded)), MD5)
  t.ok(encoded.export().equals(key.export()))
  for (const text of ['', KEY.slice(4), `${KEY}AAAA`, '!'.repeat(44), Buffer.alloc(31).toString('base64')]) {
    for (const make of [targetHeaders, copySourceHeaders, customerKeyMD5]) {
      t.equal(refusal(() => make(new EncodedKey(text))).code, 'InternalError', `${text.length} characters`)
    }
  }
  t.equal(refusal(() => sentKeyMD5(copySourceHeaders(key))).code, 'InternalError')
  t.end()
})
