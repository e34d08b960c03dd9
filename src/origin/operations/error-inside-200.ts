import type { Answer } from '../call.js'
import { leaf } from '../xml.js'

/** What S3 does when a long copy or completion fails after it began to answer: spaces, then an error, all in a 200. */
export function errorInside200(): Answer {
  const error = leaf('Code', 'InternalError') + leaf('Message', 'We encountered an internal error. Please try again.')
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${' '.repeat(20)}\n<Error>${error}</Error>`
  return { status: 200, headers: {}, body: { type: 'xml', text } }
}
