import { bareETag, isMD5 } from './md5-etag.js'
import type { StoredPart } from './completed-parts.js'
import { readXml } from './xml-document.js'

/** One page of ListParts. */
export interface PartsPage {
  readonly parts: ReadonlyMap<number, StoredPart>
  /** The algorithm that the upload was created with, upper-case; `none` where there is none. */
  readonly algorithm: string | 'none'
  readonly next: number | 'none'
}

const ROOT = 'ListPartsResult'

/** @throws S3Error MalformedXML */
export function readListedParts(bytes: Uint8Array): PartsPage {
  const parts = new Map<number, StoredPart>()
  const path: string[] = []
  const leaves = new Map<string, string>()
  let content = ''
  readXml(bytes, {
    open(name) {
      path.push(name)
      content = ''
      if (path.join('/') === `${ROOT}/Part`)
        for (const leaf of leaves.keys()) if (leaf.startsWith('Part/')) leaves.delete(leaf)
    },
    text(text) {
      content += text
    },
    close() {
      const place = path.slice(1).join('/')
      path.pop()
      if (place !== 'Part') {
        leaves.set(place, content)
        return
      }
      const checksum = leaves.get('Part/ChecksumMD5') ?? ''
      parts.set(Number(leaves.get('Part/PartNumber')), {
        etag: bareETag(leaves.get('Part/ETag') ?? ''),
        checksumMD5: isMD5(checksum) ? checksum : 'none',
      })
    },
  })
  const next = Number(leaves.get('NextPartNumberMarker') ?? 0)
  return {
    parts,
    algorithm: leaves.get('ChecksumAlgorithm')?.toUpperCase() ?? 'none',
    next: leaves.get('IsTruncated') === 'true' && next > 0 ? next : 'none',
  }
}
