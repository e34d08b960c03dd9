import type { BodySink } from '../body-pump.js'
import type { Connection } from './connection.js'
import type { RequestHead } from './request-head.js'

/** A body of at most this goes out in one piece with its head. */
const ONE_WRITE = 16 * 1024

/** How one request is put on its connection: the head as it was signed, with the first of the body, and the body's framing. */
export class RequestWriter implements BodySink {
  /** Whether all of the request was handed to the connection: nothing of it is here that could follow the next one's head. */
  isSent = false
  isBegun = false
  readonly #head: RequestHead
  /** Whether the piece that is given is the body's last. */
  readonly #isLast: () => boolean
  #connection: Connection | 'none' = 'none'
  readonly #drainListeners: (() => void)[] = []

  constructor(head: RequestHead, isLast: () => boolean) {
    this.#head = head
    this.#isLast = isLast
  }

  /** From now on what is written goes to `connection`; to `none`, nowhere. */
  useConnection(connection: Connection | 'none'): void {
    this.#connection = connection
  }

  drained(): void {
    for (const listener of this.#drainListeners) listener()
  }

  write(chunk: Buffer): boolean {
    const connection = this.#connection
    if (connection === 'none' || chunk.length === 0) return true
    const { text, length } = this.#head
    const isLast = length !== 'chunked' && this.#isLast()
    if (isLast && !this.isBegun && chunk.length <= ONE_WRITE) {
      this.isBegun = true
      this.isSent = true
      return connection.write(Buffer.concat([Buffer.from(text, 'latin1'), chunk]))
    }
    connection.gather()
    if (!this.isBegun) connection.writeText(text)
    this.isBegun = true
    if (length === 'chunked') connection.writeText(`${chunk.length.toString(16)}\r\n`)
    let isFlowing = connection.write(chunk)
    if (length === 'chunked') isFlowing = connection.write(CRLF)
    else if (isLast) {
      this.isSent = true
      connection.flush()
    }
    return isFlowing
  }

  end(): void {
    const connection = this.#connection
    if (connection === 'none') return
    const { text, length } = this.#head
    const last = length === 'chunked' ? '0\r\n\r\n' : ''
    if (!this.isBegun) connection.writeText(text + last)
    else if (last !== '') connection.writeText(last)
    connection.flush()
    this.isBegun = true
    this.isSent = true
  }

  on(_name: 'drain', listener: () => void): void {
    this.#drainListeners.push(listener)
  }

  off(_name: 'drain', listener: () => void): void {
    const at = this.#drainListeners.indexOf(listener)
    if (at >= 0) this.#drainListeners.splice(at, 1)
  }
}

const CRLF = Buffer.from('\r\n')
