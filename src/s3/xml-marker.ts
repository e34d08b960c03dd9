import { escapeXml, unescapeXml } from './xml-text.js'

/** What becomes of an element's text, by the element's name. */
export type ElementRules = Readonly<Record<string, (text: string) => string>>

/**
 * An element is rewritten only if it is at most so long, tags included, in bytes. It bounds what is held back; S3's
 * ETags and upload ids stay far below.
 */
export const MAX_ELEMENT_BYTES = 4096

interface ElementMarker {
  readonly type: 'element'
  readonly bytes: Buffer
  readonly close: Buffer
  readonly rule: (text: string) => string
}
/** Where the rewriter must look closer. */
export type Marker = ElementMarker | { readonly type: 'declaration' | 'instruction'; readonly bytes: Buffer }

/** What stands at a marker. Lengths and places count from the marker. */
export type Step =
  | { readonly type: 'incomplete' }
  | { readonly type: 'pass'; readonly length: number }
  | { readonly type: 'skip'; readonly length: number; readonly to: Buffer }
  | {
      readonly type: 'element'
      readonly length: number
      readonly from: number
      readonly removed: number
      readonly text: Buffer
    }

/**
 * What to look for: the elements of the rules, and what may hold their names without being one. Longer names come first:
 * where two markers begin at one place, the longer one must be asked before the shorter one passes it by.
 */
export function markersOf(rules: ElementRules): readonly Marker[] {
  const entries = Object.entries(rules).sort(([a], [b]) => b.length - a.length)
  const elements = entries.map(
    ([name, rule]) =>
      ({ type: 'element', bytes: Buffer.from(`<${name}`), close: Buffer.from(`</${name}`), rule }) as const,
  )
  return [
    ...elements,
    { type: 'declaration', bytes: Buffer.from('<!') },
    { type: 'instruction', bytes: Buffer.from('<?') },
  ]
}

/** Reads what begins at a marker, of which `window` holds as much as there is, at most MAX_ELEMENT_BYTES. */
export function readMarker(window: Buffer, marker: Marker): Step {
  switch (marker.type) {
    case 'element':
      return readElement(window, marker)
    case 'declaration':
      return readDeclaration(window)
    case 'instruction':
      return { type: 'skip', length: 2, to: INSTRUCTION_END }
  }
}

function readDeclaration(window: Buffer): Step {
  if (startsWith(window, COMMENT)) return { type: 'skip', length: COMMENT.length, to: COMMENT_END }
  if (startsWith(window, CDATA)) return { type: 'skip', length: CDATA.length, to: CDATA_END }
  if (isPrefix(window, COMMENT) || isPrefix(window, CDATA)) return { type: 'incomplete' }
  return { type: 'skip', length: 2, to: TAG_END }
}

function readElement(window: Buffer, { bytes, close, rule }: ElementMarker): Step {
  const pass = { type: 'pass', length: bytes.length } as const
  const after = window[bytes.length]
  if (after === undefined) return { type: 'incomplete' }
  if (after !== GREATER && !isSpace(after)) return pass
  const from = startTagEnd(window, bytes.length)
  if (from === 'incomplete') return { type: 'incomplete' }
  if (from === 'none') return pass
  const to = window.indexOf(LESS, from)
  if (to < 0) return { type: 'incomplete' }
  const tail = window.subarray(to)
  if (!startsWith(tail, close)) return isPrefix(tail, close) ? { type: 'incomplete' } : { ...pass, length: from }
  let length = to + close.length
  while (isSpace(window[length])) length += 1
  if (window[length] === undefined) return { type: 'incomplete' }
  if (window[length] !== GREATER) return { ...pass, length: from }
  const content = unescapeXml(window.toString('utf8', from, to))
  if (content === 'undecodable') return { ...pass, length: to }
  const text = rule(content.text)
  if (text === content.text) return { ...pass, length: to }
  return { type: 'element', length: to, from, removed: to - from, text: Buffer.from(escapeXml(text), 'utf8') }
}

/** Behind the `>` of a start tag; `none` where it is an empty element or no tag at all. */
function startTagEnd(window: Buffer, at: number): number | 'none' | 'incomplete' {
  let quote = 0
  for (let i = at; i < window.length; i += 1) {
    const byte = window[i] as number
    if (byte === LESS) return 'none'
    if (quote !== 0) {
      if (byte === quote) quote = 0
    } else if (byte === QUOTE || byte === APOSTROPHE) quote = byte
    else if (byte === GREATER) return window[i - 1] === SLASH ? 'none' : i + 1
  }
  return 'incomplete'
}

const LESS = 0x3c
const GREATER = 0x3e
const SLASH = 0x2f
const QUOTE = 0x22
const APOSTROPHE = 0x27
const COMMENT = Buffer.from('<!--')
const COMMENT_END = Buffer.from('-->')
const CDATA = Buffer.from('<![CDATA[')
const CDATA_END = Buffer.from(']]>')
const INSTRUCTION_END = Buffer.from('?>')
const TAG_END = Buffer.from('>')

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

function startsWith(data: Buffer, start: Buffer): boolean {
  return data.length >= start.length && data.compare(start, 0, start.length, 0, start.length) === 0
}

/** Whether the data is a beginning of `whole`, and not yet all of it. */
export function isPrefix(data: Buffer, whole: Buffer): boolean {
  return data.length < whole.length && whole.compare(data, 0, data.length, 0, data.length) === 0
}
