import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { Piece, Protection } from './model.js'

/** The key that a request brings for an object, or none. */
export type CustomerKey = { readonly type: 'none' } | { readonly type: 'given'; readonly key: KeyObject }

const BLOCK = 16
const STORED_BLOCK = 256 * 1024

/** What is kept of a key: a salted HMAC of it. */
export function protect(customerKey: CustomerKey): Protection {
  if (customerKey.type === 'none') return { type: 'plain' }
  const salt = randomBytes(16)
  return { type: 'customer-key', salt, mac: macOf(customerKey.key, salt) }
}

export function fits(customerKey: CustomerKey, protection: Protection): boolean {
  if (protection.type === 'plain') return customerKey.type === 'none'
  return customerKey.type === 'given' && timingSafeEqual(macOf(customerKey.key, protection.salt), protection.mac)
}

function macOf(key: KeyObject, salt: Buffer): Buffer {
  return createHmac('sha256', salt).update(key.export()).digest()
}

/** Takes bytes in and keeps them, encrypted where a key is given. */
export function startPiece(customerKey: CustomerKey): { add(bytes: Buffer): void; finish(): Piece } {
  const iv = randomBytes(BLOCK)
  const cipher = customerKey.type === 'none' ? undefined : createCipheriv('aes-256-ctr', customerKey.key, iv)
  const blocks: Buffer[] = []
  let waiting: Buffer[] = []
  let waitingSize = 0
  let size = 0
  const settle = (): void => {
    if (waitingSize > 0) blocks.push(Buffer.concat(waiting, waitingSize))
    waiting = []
    waitingSize = 0
  }
  return {
    add(bytes) {
      waiting.push(cipher === undefined ? bytes : cipher.update(bytes))
      waitingSize += bytes.length
      size += bytes.length
      if (waitingSize >= STORED_BLOCK) settle()
    },
    finish() {
      settle()
      return { blocks, size, iv }
    },
  }
}

/** The plaintext of bytes `start` up to, not including, `end`. The caller has checked that the key fits. */
export function* readPieces(
  pieces: readonly Piece[],
  customerKey: CustomerKey,
  start: number,
  end: number,
): Generator<Buffer> {
  let at = 0
  for (const piece of pieces) {
    const from = Math.max(start - at, 0)
    const to = Math.min(end - at, piece.size)
    if (from < to) yield* readPiece(piece, customerKey, from, to)
    at += piece.size
  }
}

function* readPiece(piece: Piece, customerKey: CustomerKey, from: number, to: number): Generator<Buffer> {
  const open = customerKey.type === 'none' ? (bytes: Buffer) => bytes : opener(customerKey.key, piece.iv, from)
  let at = 0
  for (const block of piece.blocks) {
    const first = Math.max(from - at, 0)
    const last = Math.min(to - at, block.length)
    if (first < last) yield open(block.subarray(first, last))
    at += block.length
    if (at >= to) return
  }
}

/** Decrypts from any offset on: CTR's counter is the initial one plus the number of 16-byte blocks before it. */
function opener(key: KeyObject, iv: Buffer, offset: number): (bytes: Buffer) => Buffer {
  const counter = (BigInt(`0x${iv.toString('hex')}`) + BigInt(Math.floor(offset / BLOCK))) % (1n << 128n)
  const decipher = createDecipheriv('aes-256-ctr', key, Buffer.from(counter.toString(16).padStart(32, '0'), 'hex'))
  decipher.update(Buffer.alloc(offset % BLOCK))
  return (bytes) => decipher.update(bytes)
}
