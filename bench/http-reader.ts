/** What the reader says of one message. */
export interface MessageEvents {
  /** @param head everything before the empty line, latin1 */
  readonly head: (head: string) => void
  /** The last byte of the message was read. */
  readonly end: () => void
}

const NOTHING = Buffer.alloc(0)

/**
 * Reads HTTP/1.1 messages that say their Content-Length, one after the other, and throws their bodies away. It does much
 * less than node:http, so that what stands around the proxy takes little of the machine.
 *
 * @returns feed a chunk; gives the number of body bytes in it
 * @throws Error at a message with Transfer-Encoding
 */
export function httpReader(events: MessageEvents): (chunk: Buffer) => number {
  let pending: Buffer = NOTHING
  let left = 0
  return (chunk) => {
    const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    pending = NOTHING
    let body = 0
    for (let at = 0; at < bytes.length;) {
      if (left > 0) {
        const read = Math.min(left, bytes.length - at)
        at += read
        body += read
        left -= read
        if (left === 0) events.end()
        continue
      }
      const stop = bytes.indexOf('\r\n\r\n', at)
      if (stop === -1) {
        pending = bytes.subarray(at)
        break
      }
      const head = bytes.toString('latin1', at, stop)
      if (/\r\ntransfer-encoding:/i.test(head)) throw new Error(`a message without Content-Length: ${head}`)
      at = stop + 4
      left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      events.head(head)
      if (left === 0) events.end()
    }
    return body
  }
}

/**
 * Writes one buffer after the other, as fast as the socket takes them. Where the kernel takes all at once, `drain` comes
 * before any other event: timers and other sockets get their turn in between.
 */
export function writeAll(
  socket: {
    readonly destroyed: boolean
    write(bytes: Buffer): boolean
    once(event: 'drain', listener: () => void): unknown
  },
  buffers: Iterator<Buffer>,
): void {
  while (!socket.destroyed) {
    const next = buffers.next()
    if (next.done === true) return
    if (!socket.write(next.value)) {
      socket.once('drain', () => setImmediate(() => writeAll(socket, buffers)))
      return
    }
  }
}
