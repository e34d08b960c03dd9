import { SaxesParser } from 'saxes'
import { S3Error } from './error.js'

/** What a reader is told of a document, in order. Whatever it throws ends the reading. */
export interface XmlReader {
  /** A start tag. `depth` is 0 for the root. */
  readonly open: (name: string, depth: number) => void
  /** Character data, references resolved; may come in pieces. */
  readonly text: (text: string) => void
  readonly close: (name: string, depth: number) => void
}

/** S3's request documents are at most five deep; what is deeper only wants memory. */
const MAX_DEPTH = 16
const MAX_ATTRIBUTES = 16

/**
 * Reads a small request document strictly: UTF-8, XML 1.0, well-formed, without a DTD. Comments, processing instructions
 * and CDATA are refused too: S3's clients do not send them, and two parsers must never read two things.
 *
 * @throws S3Error MalformedXML
 */
export function readXml(bytes: Uint8Array, reader: XmlReader): void {
  const parser = new SaxesParser()
  let depth = 0
  let attributes = 0
  parser.on('error', (cause) => refuse(cause))
  parser.on('xmldecl', ({ version, encoding }) => {
    if (version !== '1.0') refuse('not XML 1.0')
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) refuse('not declared as UTF-8')
  })
  parser.on('doctype', () => refuse('a DTD'))
  parser.on('processinginstruction', () => refuse('a processing instruction'))
  parser.on('comment', () => refuse('a comment'))
  parser.on('cdata', () => refuse('a CDATA section'))
  parser.on('opentagstart', () => {
    attributes = 0
    if (depth >= MAX_DEPTH) refuse('nested too deeply')
  })
  parser.on('attribute', () => {
    attributes += 1
    if (attributes > MAX_ATTRIBUTES) refuse('too many attributes')
  })
  parser.on('opentag', ({ name }) => {
    reader.open(name, depth)
    depth += 1
  })
  parser.on('text', (text) => {
    if (depth > 0) reader.text(text)
  })
  parser.on('closetag', ({ name }) => {
    depth -= 1
    reader.close(name, depth)
  })
  try {
    parser.write(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).close()
  } catch (cause) {
    if (cause instanceof S3Error) throw cause
    refuse(cause)
  }
}

function refuse(cause: unknown): never {
  throw new S3Error('MalformedXML', { cause })
}
