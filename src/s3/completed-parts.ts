import { readXml } from './xml-document.js'
import { escapeXml } from './xml-text.js'

/** One part of a CompleteMultipartUpload document: its elements, in order. */
export type CompletedPart = readonly (readonly [name: string, text: string])[]

const ROOT = 'CompleteMultipartUpload'

/**
 * The parts that a CompleteMultipartUpload document lists; `odd` where it has anything else, which the upstream may judge.
 *
 * @throws S3Error MalformedXML
 */
export function readCompletedParts(bytes: Uint8Array): readonly CompletedPart[] | 'odd' {
  const parts: [string, string][][] = []
  const path: string[] = []
  let odd = false as boolean
  let content = ''
  readXml(bytes, {
    open(name) {
      path.push(name)
      content = ''
      if (path.length > 3 || path[0] !== ROOT || (path[1] ?? 'Part') !== 'Part') odd = true
      if (path.length === 2) parts.push([])
    },
    text(text) {
      content += text
      if (path.length !== 3 && text.trim() !== '') odd = true
    },
    close(name) {
      if (path.length === 3) parts.at(-1)?.push([name, content])
      path.pop()
    },
  })
  return odd ? 'odd' : parts
}

/** The document again. */
export function formatCompletedParts(parts: readonly CompletedPart[]): Buffer {
  const elements = parts.map(
    (part) => `<Part>${part.map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`).join('')}</Part>`,
  )
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${ROOT} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements.join('')}</${ROOT}>`,
    'utf8',
  )
}

/** A part as the upstream has it. ETag without quotes. */
export interface StoredPart {
  readonly etag: string
  /** base64 */
  readonly checksumMD5: string | 'none'
}
