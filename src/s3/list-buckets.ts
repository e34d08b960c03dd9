import { SaxesParser } from 'saxes'
import { S3Error } from './error.js'

const BUCKET = 'ListAllMyBucketsResult/Buckets/Bucket'

/**
 * Leaves the buckets out of an answer to ListBuckets that are not to be shown; everything else stays as it is. A bucket
 * whose name cannot be read is left out.
 *
 * @throws S3Error InternalError where the upstream's answer is not well-formed: nothing of it is shown then
 */
export function filterBuckets(xml: string, keep: (bucket: string) => boolean): string {
  const cuts: { readonly from: number; readonly to: number }[] = []
  const path: string[] = []
  const parser = new SaxesParser()
  let start = 0
  let name = ''
  parser.on('opentag', (tag) => {
    path.push(tag.name)
    if (path.join('/') !== BUCKET) return
    start = xml.lastIndexOf('<', parser.position - 1)
    name = ''
  })
  parser.on('text', (text) => {
    if (path.join('/') === `${BUCKET}/Name`) name += text
  })
  parser.on('closetag', () => {
    if (path.join('/') === BUCKET && (name === '' || !keep(name))) cuts.push({ from: start, to: parser.position })
    path.pop()
  })
  try {
    parser.write(xml).close()
  } catch (cause) {
    throw new S3Error('InternalError', { cause })
  }
  let shown = ''
  let at = 0
  for (const { from, to } of cuts) {
    shown += xml.slice(at, from)
    at = to
  }
  return shown + xml.slice(at)
}
