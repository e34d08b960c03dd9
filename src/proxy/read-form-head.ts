import { type FormHead, readFormHead } from '../s3/form-head.js'
import type { Readable } from 'node:stream'
import { S3Error } from '../s3/error.js'
import { malformedForm } from '../s3/form-error.js'

/** How long the fields of a form, 20 KiB at most, may take to arrive: nobody is authenticated before. */
export const FORM_HEAD_TIMEOUT_MS = 60_000

/**
 * Reads a body up to the first byte of the form's file and leaves it paused there.
 *
 * @returns the head, and what of the body came with its last piece
 * @throws S3Error RequestTimeout, MalformedPOSTRequest and what {@link readFormHead} throws; errors of the body
 */
export async function readHead(
  body: Readable,
  boundary: string,
  timeoutMs = FORM_HEAD_TIMEOUT_MS,
): Promise<{ readonly head: FormHead; readonly rest: Buffer }> {
  const take = readFormHead(boundary)
  // Most forms are small and come with their head: then nothing has to be waited for.
  const here = body.read() as Buffer | null
  const progress = here === null ? { type: 'more' as const } : take(here)
  if (progress.type === 'head') return progress
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new S3Error('RequestTimeout'))), timeoutMs)
    const settle = (then: () => void): void => {
      clearTimeout(timer)
      body.off('data', onData).off('end', onEnd).off('error', onError).pause()
      then()
    }
    const onData = (piece: Buffer): void => {
      try {
        const progress = take(piece)
        if (progress.type === 'head') settle(() => resolve(progress))
      } catch (error) {
        settle(() => reject(error instanceof Error ? error : new Error(String(error))))
      }
    }
    const onEnd = (): void => settle(() => reject(malformedForm('It ends before its file.')))
    const onError = (error: Error): void =>
      settle(() => reject(error instanceof Error ? error : new Error(String(error))))
    body.on('data', onData).on('end', onEnd).on('error', onError).resume()
  })
}
