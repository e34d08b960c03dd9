import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { checksumLength, compareChecksum, startChecksum } from '../../src/sigv4/trailing-checksum.js'
import { codeOf, errorOf } from './examples.js'

const digest = async (name: string, ...pieces: readonly (Buffer | string)[]): Promise<string> => {
  const checksum = startChecksum(`x-amz-checksum-${name}`)
  for (const piece of pieces) checksum.update(Buffer.from(piece))
  return checksum.digest()
}
const hex = (text: string): string => Buffer.from(text, 'hex').toString('base64')

/** Published check values: of the CRC catalogue (`123456789`), of xxHash, and of AWS's trailer example. */
const KNOWN: readonly (readonly [name: string, data: string, base64: string])[] = [
  ['crc32', '123456789', hex('cbf43926')],
  ['crc32', '', hex('00000000')],
  ['crc32c', '123456789', hex('e3069283')],
  ['crc32c', 'a'.repeat(66_560), 'sOO8/Q=='],
  ['crc64nvme', '123456789', hex('ae8b14860a799888')],
  ['sha1', 'abc', hex('a9993e364706816aba3e25717850c26c9cd0d89d')],
  ['sha256', '', '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
  ['md5', '', '1B2M2Y8AsgTpgAmY7PhCfg=='],
  ['xxhash64', '', hex('ef46db3751d8e999')],
  ['xxhash64', 'a', hex('d24ec4f1a98c6e5b')],
  ['xxhash3', '', hex('2d06800538d394c2')],
  ['xxhash3', 'a', hex('e6c632b61e964e1f')],
  ['xxhash128', '', hex('99aa06d3014798d86001c324468d497f')],
  ['xxhash128', 'a', hex('a96faf705af16834e6c632b61e964e1f')],
]

t.test('published values', async (t) => {
  for (const [name, data, base64] of KNOWN) t.equal(await digest(name, data), base64, `${name} of ${data.slice(0, 9)}`)
})

t.test('lengths are those of the values', async (t) => {
  const names = [...new Set(KNOWN.map(([name]) => name)), 'sha512']
  for (const name of names) t.equal(checksumLength(`x-amz-checksum-${name}`), (await digest(name, 'x')).length, name)
  t.equal(checksumLength('x-amz-checksum-crc16'), 'unknown')
  t.equal(checksumLength('__proto__'), 'unknown')
})

t.test('however the bytes are cut', async (t) => {
  const names = [...new Set(KNOWN.map(([name]) => name)), 'sha512']
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.array(fc.uint8Array({ maxLength: 300 })), async (name, pieces) => {
      const whole = Buffer.concat(pieces)
      const cut = await digest(name, ...pieces.map((piece) => Buffer.from(piece)))
      if (cut !== (await digest(name, whole))) return false
      if (name === 'sha512') return cut === createHash('sha512').update(whole).digest('base64')
      return name !== 'crc32' || cut === hex(crc32(whole).toString(16).padStart(8, '0'))
    }),
  )
  t.end()
})

t.test('comparing', (t) => {
  const name = 'x-amz-checksum-crc32c'
  compareChecksum(name, 'sOO8/Q==', 'sOO8/Q==')
  t.match(
    errorOf(() => compareChecksum(name, 'sOO8/A==', 'sOO8/Q==')),
    { code: 'BadDigest', message: 'The CRC32C you specified did not match the calculated checksum.' },
  )
  for (const odd of ['', 'sOO8/Q=', 'sOO8/Q===', 'sOO8*Q==', '====    ']) {
    t.equal(
      codeOf(() => compareChecksum(name, odd, 'sOO8/Q==')),
      'InvalidRequest',
      odd,
    )
  }
  t.equal(
    codeOf(() => startChecksum('x-amz-checksum-crc16')),
    'NotImplemented',
  )
  t.end()
})
