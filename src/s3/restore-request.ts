import { readXml } from './xml-document.js'

/** Elements of a RestoreRequest that make it a select: S3 then writes its result to a bucket of its own accord. */
const WRITING = new Set(['OutputLocation', 'SelectParameters', 'Type'])

/**
 * Whether a RestoreRequest would make S3 itself write objects, which it would do without the customer key. An empty
 * document asks for nothing; S3 says what it thinks of it.
 *
 * @throws S3Error MalformedXML
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
 */
export function restoreWritesElsewhere(xml: string | Uint8Array): boolean {
  const bytes = typeof xml === 'string' ? Buffer.from(xml, 'utf8') : xml
  if (bytes.length === 0) return false
  let writes = false
  readXml(bytes, {
    open(name) {
      const local = name.slice(name.indexOf(':') + 1)
      if (WRITING.has(local)) writes = true
    },
    text() {},
    close() {},
  })
  return writes
}
