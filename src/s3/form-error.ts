import { S3Error } from './error.js'

/** S3's refusal of a form that it cannot read, with what is wrong. */
export function malformedForm(detail: string): S3Error {
  return new S3Error('MalformedPOSTRequest', {
    message: `The body of your POST request is not well-formed multipart/form-data. ${detail}`,
  })
}
