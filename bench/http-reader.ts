/** What the reader says of one message. */
export interface MessageEvents {
  /** @param head everything before the empty line, latin1 */
  readonly head: (head: string) => void
  /** Bytes of the body as they come, without the framing of chunks. */
  readonly body?: (bytes: Buffer) => void
  /** The last byte of the message was read. */
  readonly end: () => void
}

const NOTHING = Buffer.alloc(0)

/** Where in a message the reader is; `left` counts bytes, of the body or of one chunk. */
type Place =
  | { readonly type: 'head' }
  | { readonly type: 'body'; left: number }
  | { readonly type: 'chunk-size' }
  | { readonly type: 'chunk'; left: number }
  | { readonly type: 'behind-chunk' }
  | { readonly type: 'trailer' }

/**
 * Reads HTTP/1.1 messages, one after the other. It does much less than node:http, so that what stands around the proxy takes
 * little of the machine: bodies have a Content-Length or are chunked, and chunked ones have no trailers.
 *
 * @returns feed a chunk; gives the number of body bytes in it
 * @throws Error at framing that it does not know
 */
export function httpReader(events: MessageEvents): (chunk: Buffer) => number {
  let pending: Buffer = NOTHING
  let place: Place = { type: 'head' }
  const end = (): void => {
    place = { type: 'head' }
    events.end()
  }
  const onHead = (head: string): void => {
    events.head(head)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) place = { type: 'chunk-size' }
    else if (length === 0) end()
    else place = { type: 'body', left: length }
  }
  const onLine = (line: string): void => {
    switch (place.type) {
      case 'chunk-size': {
        const size = /^[0-9a-f]{1,8}$/i.test(line) ? Number.parseInt(line, 16) : NaN
        if (Number.isNaN(size)) throw new Error(`a chunk's size was ${line.slice(0, 100)}`)
        place = size === 0 ? { type: 'trailer' } : { type: 'chunk', left: size }
        return
      }
      case 'behind-chunk':
        if (line !== '') throw new Error('a chunk was longer than its size')
        place = { type: 'chunk-size' }
        return
      case 'head':
      case 'body':
      case 'chunk':
      case 'trailer':
        if (line !== '') throw new Error(`a trailer: ${line.slice(0, 100)}`)
        end()
    }
  }
  return (chunk) => {
    const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    pending = NOTHING
    let body = 0
    for (let at = 0; at < bytes.length;) {
      if ('left' in place) {
        const read = Math.min(place.left, bytes.length - at)
        events.body?.(bytes.subarray(at, at + read))
        at += read
        body += read
        place.left -= read
        if (place.left > 0) continue
        if (place.type === 'body') end()
        else place = { type: 'behind-chunk' }
        continue
      }
      const mark = place.type === 'head' ? '\r\n\r\n' : '\r\n'
      const stop = bytes.indexOf(mark, at)
      if (stop === -1) {
        pending = bytes.subarray(at)
        break
      }
      const text = bytes.toString('latin1', at, stop)
      at = stop + mark.length
      if (place.type === 'head') onHead(text)
      else onLine(text)
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
