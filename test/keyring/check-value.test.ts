import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { checkValue } from '../../src/keyring/check-value.js'
import { bytesOf, checkOf, type Vectors } from './material.js'

const file = new URL('../vectors/keys/derivation-v1.json', import.meta.url)
const { masterKeyChecks } = JSON.parse(readFileSync(file, 'utf8')) as Vectors

t.test('the frozen check values', async (t) => {
  for (const [key, check] of Object.entries(masterKeyChecks)) {
    t.equal(checkValue(createSecretKey(Buffer.from(key, 'hex'))), check)
  }
  t.equal(Object.keys(masterKeyChecks).length, 2)
})

t.test('tells keys apart that differ in one bit', async (t) => {
  const bytes = bytesOf('check')
  const checks = new Set([checkValue(createSecretKey(bytes))])
  for (let bit = 0; bit < 256; bit++) {
    const other = Buffer.from(bytes)
    other[bit >> 3]! ^= 1 << (bit & 7)
    checks.add(checkValue(createSecretKey(other)))
  }
  t.equal(checks.size, 257)
  t.equal(checkValue(createSecretKey(bytes)), checkOf(bytes))
})
