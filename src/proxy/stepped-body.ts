import { Readable } from 'node:stream'
import type { BodyStep, PieceSink } from '../sigv4/body-step.js'
import { S3Error } from '../s3/error.js'

/**
 * The client's body as it leaves a step: one stream, however many steps that is, through which pieces go while the source gives
 * them. It fails as its source or the step fails, and holds one piece's worth for a reader that does not read. When it
 * ends, fails or is destroyed, the source is destroyed.
 *
 * @param begin gives what comes before anything of the source
 */
export function steppedBody(
  source: Readable,
  step: BodyStep,
  begin: (out: PieceSink) => void = () => undefined,
): Readable {
  let isStarted = false
  const body = new Readable({
    // What waits is buffered at the source; a second buffer would hold the same again.
    highWaterMark: 1,
    read() {
      if (!isStarted) start()
      else source.resume()
    },
    destroy(error, callback) {
      source.off('data', onData).destroy()
      callback(error)
    },
  })
  const out = (bytes: Buffer): void => {
    if (!body.destroyed && !body.push(bytes)) source.pause()
  }
  const start = (): void => {
    isStarted = true
    try {
      begin(out)
      if (source.readableEnded) onEnd()
      else source.on('data', onData).resume()
    } catch (error) {
      fail(error)
    }
  }
  const fail = (error: unknown): void => {
    body.destroy(error instanceof Error ? error : new Error(String(error)))
  }
  const finish = (): void => {
    if (!body.destroyed) body.push(null)
  }
  const onData = (bytes: Buffer): void => {
    try {
      step.piece(bytes, out)
    } catch (error) {
      fail(error)
    }
  }
  const onEnd = (): void => {
    if (body.destroyed) return
    try {
      const ended = step.end(out)
      if (ended === undefined) finish()
      else ended.then(finish, fail)
    } catch (error) {
      fail(error)
    }
  }
  const onClose = (): void => {
    if (!source.readableEnded) fail(source.errored ?? new S3Error('IncompleteBody'))
  }
  // Whoever reads the body hears of its errors; until somebody does, they must not end the process.
  body.on('error', () => undefined)
  source.on('end', onEnd).on('error', fail).on('close', onClose)
  if (source.destroyed) onClose()
  return body
}
