import { bytesBody } from '../upstream/answer-body.js'
import { UpstreamFailure, type UpstreamResponse } from '../upstream/types.js'

/**
 * Reads the body of a small answer into memory, which frees its connection: whoever waits for another connection with
 * an answer unread may wait for himself. What is longer than `maxBytes` is cut off there, with its connection.
 *
 * @returns the bytes, and the answer with a body that gives them
 * @throws UpstreamFailure where the answer breaks off
 */
export async function holdAnswer(
  response: UpstreamResponse,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly whole: boolean; readonly response: UpstreamResponse }> {
  const here = response.body.whole()
  if (here !== 'not yet') {
    return {
      bytes: here.subarray(0, maxBytes),
      whole: here.length <= maxBytes,
      response: { ...response, body: bytesBody(here) },
    }
  }
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response.body.stream() as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) break
      chunks.push(chunk)
    }
  } catch (cause) {
    throw cause instanceof UpstreamFailure ? cause : new UpstreamFailure('reset', true, cause)
  }
  const bytes = Buffer.concat(chunks)
  return { bytes, whole: size <= maxBytes, response: { ...response, body: bytesBody(bytes) } }
}

/** An error document is held up to this many bytes; S3's are below 4 KiB. */
export const MAX_ERROR_BYTES = 64 * 1024
