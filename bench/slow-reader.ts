import { SLOW_BYTES_PER_SECOND } from './load-job.js'

/**
 * Makes a socket's bytes come no faster than a slow peer takes them: after each chunk the socket is left alone for as long
 * as that peer would have needed for it.
 */
export function restAfter(
  socket: { readonly destroyed: boolean; pause(): unknown; resume(): unknown },
  bytes: number,
): void {
  socket.pause()
  setTimeout(
    () => {
      if (!socket.destroyed) socket.resume()
    },
    (bytes / SLOW_BYTES_PER_SECOND) * 1000,
  )
}
