import { Transform, type TransformCallback } from 'node:stream'

/** Documents that are held to be rewritten as a whole: ListParts of 1000 parts is below 1 MiB. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
/** An XML declaration has no more than this. */
const MAX_DECLARATION = 256

/**
 * Holds a small document and rewrites it as a whole. The declaration and the spaces around it, with which S3 keeps a connection
 * while it copies, pass as they come.
 */
export function rewriteDocument(rewrite: (document: Buffer) => Buffer): Transform {
  let start: Buffer = Buffer.alloc(0)
  let root: Buffer[] | 'not yet' = 'not yet'
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      size += chunk.length
      if (root === 'not yet') {
        start = Buffer.concat([start, chunk])
        const { at, isRoot } = readProlog(start)
        this.push(start.subarray(0, at))
        start = start.subarray(at)
        // Spaces are no document.
        size = start.length
        if (isRoot) root = [start]
      } else root.push(chunk)
      callback(size > MAX_DOCUMENT_BYTES ? new Error('a document of the upstream is too long') : null)
    },
    flush(callback) {
      callback(null, root === 'not yet' ? start : rewrite(Buffer.concat(root)))
    },
  })
}

/** How far spaces and declarations reach, and whether what follows is the document itself. */
function readProlog(bytes: Buffer): { readonly at: number; readonly isRoot: boolean } {
  let at = 0
  for (;;) {
    while (isSpace(bytes[at])) at += 1
    const rest = bytes.subarray(at, at + MAX_DECLARATION).toString('latin1')
    const end = rest.startsWith('<?') ? rest.indexOf('?>') : -1
    if (end < 0) {
      const isDeclaration = rest.startsWith('<?') && rest.length < MAX_DECLARATION
      return { at, isRoot: rest.length >= 2 && !isDeclaration }
    }
    at += end + 2
  }
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
