/** What the parts of a usual Authorization header say, each checked for its characters; nothing is verified. */
export interface UsualHeader {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  /** 64 hexadecimal digits, lower-case */
  readonly signature: string
}

/**
 * The header as every SDK writes it: three parts in this order, one space or none behind the commas, names in lower case.
 * An access key id may hold slashes of its own: what is greedy takes all but the last four parts.
 */
const USUAL =
  /^AWS4-HMAC-SHA256 Credential=([\x21-\x2b\x2d-\x7e]+)\/(\d{8})\/([A-Za-z0-9_-]+)\/([A-Za-z0-9_-]+)\/aws4_request, ?SignedHeaders=([!#$%&'*+.^_`|~0-9a-z;-]+), ?Signature=([0-9a-f]{64})$/

/** Clients have few lists, and long ones may be a stranger's who wants the memory: those are read each time. */
const KEPT_LISTS = 64
const KEPT_LENGTH = 1024
const lists = new Map<string, readonly string[] | 'invalid'>()

/**
 * Reads an Authorization header of the usual form in one step; `another` is one for the general parser, right or wrong.
 */
export function parseUsualHeader(header: string): UsualHeader | 'another' {
  const parts = USUAL.exec(header)
  if (parts === null) return 'another'
  const [, accessKeyId = '', date = '', region = '', service = '', list = '', signature = ''] = parts
  const signedHeaders = namesOf(list)
  return signedHeaders === 'invalid' ? 'another' : { accessKeyId, date, region, service, signedHeaders, signature }
}

function namesOf(list: string): readonly string[] | 'invalid' {
  const kept = lists.get(list)
  if (kept !== undefined) return kept
  const split = list.split(';')
  const names = new Set(split).size === split.length && !split.includes('') ? Object.freeze(split) : 'invalid'
  if (list.length > KEPT_LENGTH) return names
  if (lists.size >= KEPT_LISTS) lists.clear()
  lists.set(list, names)
  return names
}
