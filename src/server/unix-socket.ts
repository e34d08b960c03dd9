import { StartError, faultOf } from './start-error.js'
import { chmodSync, lstatSync, statSync, unlinkSync } from 'node:fs'
import cluster from 'node:cluster'
import { connect } from 'node:net'
import { dirname } from 'node:path'

/** sun_path of unix(7), less the final NUL. */
const LONGEST = 107

/**
 * Makes room for a unix socket: removes what a process that died left behind. It is removed only if it is a socket and
 * nobody answers on it.
 *
 * Workers do nothing: their primary binds the socket and has called this before it started them.
 *
 * @throws StartError
 */
export async function claimUnixSocket(path: string, name: string): Promise<void> {
  if (cluster.isWorker) return
  const refuse = (why: string, cause?: unknown) => new StartError(`listener ${name}: ${why}`, cause)
  if (Buffer.byteLength(path) > LONGEST) throw refuse(`the path is longer than ${LONGEST} bytes`)
  // libuv would call a missing folder "permission denied".
  if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) throw refuse('its folder does not exist')
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw refuse('a file that is not a socket is in its place; it is left alone')
  const answer = await knock(path)
  if (answer === 'listening') throw refuse('another process listens on it')
  if (answer === 'gone') return
  if (answer !== 'nobody') throw refuse(`cannot tell whether a process listens on it: ${faultOf(answer)}`, answer)
  unlinkSync(path)
}

/** Owner and group may connect. */
export const openToGroup = (path: string): void => chmodSync(path, 0o660)

/** Runs `bind` so that what it creates is closed to others from its first moment on. */
export function withoutOthers<T>(bind: () => T): T {
  const before = process.umask(0o117)
  try {
    return bind()
  } finally {
    process.umask(before)
  }
}

function knock(path: string): Promise<'listening' | 'nobody' | 'gone' | Error> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('listening')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // EAGAIN: its queue of connections is full, so there is somebody.
      if (error.code === 'EAGAIN') resolve('listening')
      else if (error.code === 'ECONNREFUSED') resolve('nobody')
      else resolve(error.code === 'ENOENT' ? 'gone' : error)
    })
  })
}
