import fc from 'fast-check'
import t from 'tap'
import {
  CHECKSUM_ALGORITHMS,
  checksumAlgorithm,
  compositeChecksum,
  isChecksumValue,
  startChecksum,
} from '../../src/origin/checksums.js'

const digest = (
  algorithm: (typeof CHECKSUM_ALGORITHMS)[number],
  ...parts: readonly (string | Uint8Array)[]
): string => {
  const running = startChecksum(algorithm)
  for (const part of parts) running.update(Buffer.from(part))
  return running.digest()
}

t.test('the check values that the algorithms are published with', async (t) => {
  const published = {
    crc32: 'cbf43926',
    crc32c: 'e3069283',
    crc64nvme: 'ae8b14860a799888',
    md5: '25f9e794323b453885f5181f1b624d0b',
    sha1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
    sha256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  }
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    t.equal(Buffer.from(digest(algorithm, '123456789'), 'base64').toString('hex'), published[algorithm], algorithm)
  }
})

t.test('bytes may come in any pieces', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), fc.constantFrom(...CHECKSUM_ALGORITHMS), (parts, algorithm) => {
        return digest(algorithm, ...parts) === digest(algorithm, Buffer.concat(parts))
      }),
    ),
  )
})

t.test('values are known by their length and form', async (t) => {
  t.ok(isChecksumValue('crc32', 'AAAAAA=='))
  t.notOk(isChecksumValue('crc32', 'AAAAAAAA'), 'too long')
  t.notOk(isChecksumValue('crc32', 'AAAAAA'), 'no padding')
  t.notOk(isChecksumValue('sha256', 'AAAAAA=='), 'too short')
  t.equal(checksumAlgorithm('SHA256'), 'sha256')
  t.equal(checksumAlgorithm('XXHASH'), 'unknown')
})

t.test('a composite checksum is over the raw values', async (t) => {
  const values = [digest('sha256', 'a'), digest('sha256', 'b')]
  const raw = values.map((value) => Buffer.from(value, 'base64'))
  t.equal(compositeChecksum('sha256', values), `${digest('sha256', ...raw)}-2`)
})
