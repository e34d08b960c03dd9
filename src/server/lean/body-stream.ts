import type { ClientResponse } from '../../proxy/handler.js'
import { Writable } from 'node:stream'

/**
 * An answer's body as a stream.
 *
 * @param onCut is given what to call when the connection is gone: streams must not wait for it any longer
 */
export function bodyStream(
  response: Pick<ClientResponse, 'write' | 'end' | 'onDrain' | 'destroy' | 'destroyed'>,
  onCut: (cut: () => void) => void,
): Writable {
  let waits: (() => void) | undefined
  let isEnded = false
  response.onDrain(() => {
    const go = waits
    waits = undefined
    go?.()
  })
  const attempt = (done: (error?: Error | null) => void, write: () => boolean): void => {
    try {
      if (write()) done()
      else waits = done
    } catch (error) {
      done(error as Error)
    }
  }
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => attempt(done, () => response.write(chunk)),
    writev: (chunks: readonly { readonly chunk: Buffer }[], done) =>
      attempt(done, () => {
        let isFlowing = true
        for (const { chunk } of chunks) isFlowing = response.write(chunk)
        return isFlowing
      }),
    final: (done) =>
      attempt(done, () => {
        isEnded = true
        response.end()
        return true
      }),
    destroy: (error, done) => {
      if (!isEnded) response.destroy()
      done(error)
    },
  })
  onCut(() => {
    if (!isEnded) stream.destroy()
  })
  if (response.destroyed) stream.destroy()
  return stream
}
