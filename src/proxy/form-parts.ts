/** The head of a form: its fields, then the header of its file. Names are ours, values may hold anything. */
export function formHead(fields: readonly (readonly [string, string])[], boundary: string): Buffer {
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  // The client's name of the file has done its work in ${filename} and means nothing to the store.
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\nContent-Type: application/octet-stream\r\n\r\n`
  return Buffer.from(parts.join('') + file, 'utf8')
}

/**
 * The end of a form, `length` bytes long: the last boundary, as the client's form ended; where that had more behind its file (a
 * submit button), a field that S3 ignores by its name and place, of that length; where that does not fit, line ends behind the
 * last boundary.
 *
 * @param length at least the boundary's with its six marks
 */
export function formEnd(boundary: string, length: number): Buffer {
  const close = `\r\n--${boundary}--`
  const ignored = `\r\n--${boundary}\r\nContent-Disposition: form-data; name="x-ignore-rest"\r\n\r\n`
  const filler = length - ignored.length - close.length - 2
  if (filler >= 0) return Buffer.from(`${ignored}${'-'.repeat(filler)}${close}\r\n`, 'latin1')
  const epilogue = length - close.length
  return Buffer.from(close + '\r\n'.repeat(Math.ceil(epilogue / 2)).slice(0, epilogue), 'latin1')
}
