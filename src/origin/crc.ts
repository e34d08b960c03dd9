import type { RunningChecksum } from './checksums.js'

/** CRC-32C (Castagnoli), reflected polynomial. @see RFC 3720, appendix B.4 */
const CASTAGNOLI = 0x82f63b78
/** CRC-64/NVME, reflected polynomial, in two halves. @see NVM Express NVM Command Set Specification, 5.2.1.3.4 */
const NVME_HIGH = 0x9a6c9329
const NVME_LOW = 0xac4bc9b5

const tables: { castagnoli?: Uint32Array; nvme?: { readonly high: Uint32Array; readonly low: Uint32Array } } = {}

function castagnoliTable(): Uint32Array {
  return (tables.castagnoli ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CASTAGNOLI : value >>> 1
    return value >>> 0
  }))
}

function nvmeTable(): { readonly high: Uint32Array; readonly low: Uint32Array } {
  if (tables.nvme !== undefined) return tables.nvme
  const high = new Uint32Array(256)
  const low = new Uint32Array(256)
  for (let index = 0; index < 256; index++) {
    let upper = 0
    let lower = index
    for (let bit = 0; bit < 8; bit++) {
      const odd = lower & 1
      lower = ((lower >>> 1) | (upper << 31)) >>> 0
      upper >>>= 1
      if (odd) {
        upper = (upper ^ NVME_HIGH) >>> 0
        lower = (lower ^ NVME_LOW) >>> 0
      }
    }
    high[index] = upper
    low[index] = lower
  }
  return (tables.nvme = { high, low })
}

export function crc32c(): RunningChecksum {
  const table = castagnoliTable()
  let value = 0xffffffff
  return {
    update(bytes) {
      let running = value
      for (const byte of bytes) running = (running >>> 8) ^ (table[(running ^ byte) & 0xff] as number)
      value = running
    },
    digest() {
      const result = Buffer.alloc(4)
      result.writeUInt32BE((value ^ 0xffffffff) >>> 0)
      return result.toString('base64')
    },
  }
}

export function crc64nvme(): RunningChecksum {
  const { high, low } = nvmeTable()
  let upper = 0xffffffff
  let lower = 0xffffffff
  return {
    update(bytes) {
      for (const byte of bytes) {
        const index = (lower ^ byte) & 0xff
        lower = ((lower >>> 8) | (upper << 24)) ^ (low[index] as number)
        upper = (upper >>> 8) ^ (high[index] as number)
      }
    },
    digest() {
      const result = Buffer.alloc(8)
      result.writeUInt32BE((upper ^ 0xffffffff) >>> 0, 0)
      result.writeUInt32BE((lower ^ 0xffffffff) >>> 0, 4)
      return result.toString('base64')
    },
  }
}
