import type { Readable } from 'node:stream'
import { UpstreamFailure } from './types.js'

/** Where a body goes: node's ClientRequest, or a request of our own. */
export interface BodySink {
  /** @returns whether more may follow at once; else `drain` tells when */
  write(chunk: Buffer): boolean
  end(): unknown
  on(name: 'drain', listener: () => void): unknown
  off(name: 'drain', listener: () => void): unknown
}

/** A body on its way out. */
export interface BodyPump {
  /** Starts reading; the request is ended when exactly the declared length went out. */
  start(outgoing: BodySink): void
  /** Stops reading and leaves the stream to its owner, paused. */
  stop(): void
  /** bytes handed to the connection */
  sent(): number
  /** Whether every declared byte was handed over; of a body without declared length, its end too. */
  isComplete(): boolean
  /** Whether the pump waits for the stream rather than for the connection. */
  isStarved(): boolean
  /** Whether anything was taken from the stream: then it cannot be sent a second time. */
  isTouched(): boolean
}

const NOTHING: BodyPump = {
  start: (outgoing) => {
    outgoing.end()
  },
  stop: () => undefined,
  sent: () => 0,
  isComplete: () => true,
  isStarved: () => false,
  isTouched: () => false,
}

export const noBody = (): BodyPump => NOTHING

/**
 * Sends `stream` with backpressure. A byte too many would be read as the next request of the connection, and a byte too
 * few would leave the upstream waiting, so both end the request. The stream is never destroyed here: whoever made it
 * may still have to answer its client.
 *
 * @param length in bytes, the request's content-length; `chunked` where node marks the end
 * @param fail called once, with the stream's own error as it is, or with UpstreamFailure `aborted`
 */
export function pumpBody(stream: Readable, length: number | 'chunked', fail: (error: Error) => void): BodyPump {
  let sent = 0
  let isTouched = false
  let isEnded = false
  let isFull = false
  let outgoing: BodySink | undefined

  const onData = (chunk: Buffer): void => {
    isTouched = true
    if (length !== 'chunked' && sent + chunk.length > length) {
      giveUp(aborted('the body is longer than its content-length', sent))
      return
    }
    sent += chunk.length
    if (outgoing?.write(chunk) !== false) return
    isFull = true
    stream.pause()
  }
  const onDrain = (): void => {
    isFull = false
    stream.resume()
  }
  const onEnd = (): void => {
    isEnded = true
    if (length === 'chunked' || sent === length) outgoing?.end()
    else giveUp(aborted('the body is shorter than its content-length', sent))
  }
  const onClose = (): void => {
    if (isEnded || stream.readableEnded) return
    giveUp(stream.errored ?? aborted('the body was closed before its end', sent))
  }
  const stop = (): void => {
    stream.off('data', onData).off('end', onEnd).off('close', onClose).off('error', giveUp)
    outgoing?.off('drain', onDrain)
    if (!isEnded) stream.pause()
  }
  function giveUp(error: Error): void {
    stop()
    fail(error)
  }

  // Its owner may destroy the stream after we have lost interest: that error must find a listener.
  stream.on('error', ignore)
  stream.on('error', giveUp)
  stream.on('close', onClose)

  return {
    start: (request) => {
      outgoing = request
      if (stream.destroyed && !stream.readableEnded) {
        onClose()
        return
      }
      outgoing.on('drain', onDrain)
      if (stream.readableEnded) onEnd()
      else stream.on('end', onEnd).on('data', onData).resume()
    },
    stop,
    sent: () => sent,
    isComplete: () => (length === 'chunked' ? isEnded : sent === length),
    isStarved: () => !isEnded && !isFull,
    isTouched: () => isTouched || isEnded,
  }
}

const ignore = (): void => undefined
const aborted = (message: string, sent: number): UpstreamFailure =>
  new UpstreamFailure('aborted', sent > 0, new Error(message))
