import type { IncomingMessage } from 'node:http'

/**
 * What is wrong with a request's head that node lets through: what two programs could read in two ways, and
 * what S3 does not speak. (Two lengths, a length beside chunks, folded lines and bare line feeds end in the parser.)
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112 3.2 (Host), 6.1 (Transfer-Encoding), 6.3
 */
export function headFault({ httpVersion, rawHeaders }: IncomingMessage): string | 'none' {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'HTTP version not supported'
  const codings = valuesOf(rawHeaders, 'transfer-encoding')
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') return 'Transfer-Encoding is not chunked'
    if (httpVersion === '1.0') return 'Transfer-Encoding in HTTP/1.0'
  }
  const hosts = valuesOf(rawHeaders, 'host').length
  if (hosts > 1) return 'more than one Host'
  if (hosts === 0 && httpVersion === '1.1') return 'no Host'
  return 'none'
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name)
}
