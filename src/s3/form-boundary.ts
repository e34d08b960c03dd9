import { malformedForm } from './form-error.js'

/** RFC 2046, 5.1.1: bchars, 1 to 70 of them, not ending in a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/
const PARAMETER = /^;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))[ \t]*/

/** Whether a request's content is a form with files (RFC 7578). */
export function isFormType(contentType: string): boolean {
  return /^[ \t]*multipart\/form-data[ \t]*(?:;|$)/i.test(contentType)
}

/**
 * The boundary that a Content-Type names, with or without quotes. Only one may be there: whoever reads the form after us
 * must not take another.
 *
 * @throws S3Error MalformedPOSTRequest
 */
export function parseFormBoundary(contentType: string): string {
  let rest = contentType.trim().replace(/^multipart\/form-data[ \t]*/i, '')
  const found: string[] = []
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest)
    if (parameter === null) throw malformedForm('Its Content-Type cannot be read.')
    const [whole, name = '', quoted, token] = parameter
    if (name.toLowerCase() === 'boundary') found.push(quoted?.replace(/\\(.)/g, '$1') ?? token ?? '')
    rest = rest.slice(whole.length)
  }
  const [boundary] = found
  if (boundary === undefined || found.length > 1) throw malformedForm('Its Content-Type must name one boundary.')
  if (!BOUNDARY.test(boundary)) throw malformedForm('The boundary must be 1 to 70 of the characters of RFC 2046.')
  return boundary
}
