import type { TLSSocket } from 'node:tls'

/** Who has a connection, and hears of all that happens on it. */
export interface ConnectionUser {
  /** TLS is up, and the upstream's certificate was verified or not: `socket.authorized` says so. */
  onConnected(): void
  onBytes(bytes: Buffer): void
  onHalfClosed(): void
  onError(error: Error): void
  onClosed(): void
  onDrain(): void
  /** Now and then, to look at its clocks; milliseconds of the pool's clock. */
  onTick(now: number): void
}

/**
 * A connection with one set of listeners for its life: adding and taking them off for each request would cost more than the
 * request's parsing.
 */
export class Connection {
  readonly socket: TLSSocket
  user: ConnectionUser
  /** When bytes last came or went, by the pool's clock, ms. */
  lastActivity: number
  isConnected = false
  #isPaused = false
  #isCorked = false
  readonly #now: () => number

  constructor(socket: TLSSocket, user: ConnectionUser, now: () => number) {
    this.socket = socket
    this.user = user
    this.#now = now
    this.lastActivity = now()
    socket.on('data', (bytes: Buffer) => {
      this.lastActivity = now()
      this.user.onBytes(bytes)
    })
    socket.once('secureConnect', () => {
      this.isConnected = true
      this.lastActivity = now()
      this.user.onConnected()
    })
    socket.on('end', () => this.user.onHalfClosed())
    socket.on('error', (error: Error) => this.user.onError(error))
    socket.on('close', () => this.user.onClosed())
    socket.on('drain', () => {
      this.lastActivity = now()
      this.user.onDrain()
    })
  }

  /** @returns whether more may follow at once; else `onDrain` tells when */
  write(bytes: Buffer): boolean {
    this.lastActivity = this.#now()
    return this.socket.write(bytes) || this.socket.writableLength < WRITE_AHEAD
  }

  writeText(latin1: string): void {
    this.lastActivity = this.#now()
    this.socket.write(latin1, 'latin1')
  }

  /**
   * What is written from now on in this turn of the event loop goes out together: TLS gives pieces of 16 KiB, and each write
   * would cost a system call.
   */
  gather(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.socket.cork()
    setImmediate(uncork, this)
  }

  flush(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.socket.uncork()
  }

  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.socket.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.socket.resume()
  }
}

/** Bytes that may wait here while the upstream is slower than the client. */
const WRITE_AHEAD = 64 * 1024

const uncork = (connection: Connection): void => connection.flush()
