import type { S3Error } from './error.js'
import { escapeXml } from './xml-text.js'

/**
 * S3's error document. Whatever the texts hold, the result is well-formed XML.
 *
 * @param context.resource the path that was asked for, raw
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function errorDocument(
  error: S3Error,
  context: { readonly resource: string; readonly requestId: string },
): string {
  const elements = [
    ['Code', error.code],
    ['Message', error.message],
    ...Object.entries(error.extra),
    ['Resource', context.resource],
    ['RequestId', context.requestId],
  ] as const
  const content = elements.map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`).join('')
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content}</Error>`
}
