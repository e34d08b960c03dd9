import { S3Error } from '../../src/s3/error.js'

/** What an S3Error said, or that there was none. */
export function refusal(work: () => unknown): { code: string; extra: Readonly<Record<string, string>> } {
  try {
    work()
  } catch (error) {
    if (error instanceof S3Error) return { code: error.code, extra: error.extra }
    throw error
  }
  return { code: 'no error', extra: {} }
}

/** The S3Error itself; throws where there was none. */
export function refusalOf(work: () => unknown): S3Error {
  try {
    work()
  } catch (error) {
    if (error instanceof S3Error) return error
    throw error
  }
  throw new Error('no error')
}

/** A string as the byte string (latin1) that node:http would give for its UTF-8. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
