import { Transform, type TransformCallback } from 'node:stream'
import { type ElementRules, MAX_ELEMENT_BYTES, markersOf, type Marker, isPrefix, readMarker } from './xml-marker.js'

/**
 * Rewrites the text of some elements of an XML answer as it streams: constant memory, whatever the upstream sends and
 * however it is cut into chunks. Names match exactly and have no prefix. The text is unescaped for the rule and escaped
 * again; everything else, and every element whose text the rule leaves alone, passes byte for byte. Comments, CDATA and
 * elements with children are passed on untouched.
 */
export function rewriteElements(rules: ElementRules): Transform {
  const rewriter = elementRewriter(rules)
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      try {
        callback(null, rewriter(chunk, 'more'))
      } catch (error) {
        callback(error as Error)
      }
    },
    flush(callback) {
      try {
        callback(null, rewriter(Buffer.alloc(0), 'last'))
      } catch (error) {
        callback(error as Error)
      }
    },
  })
}

/** The same for a document that is there as a whole. */
export function rewriteWhole(bytes: Uint8Array, rules: ElementRules): Buffer {
  return elementRewriter(rules)(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'last')
}

/** Takes the next chunk, gives what can go on. What must wait for more is kept inside. */
function elementRewriter(rules: ElementRules): (chunk: Buffer, end: 'more' | 'last') => Buffer {
  const markers = markersOf(rules)
  let held: Buffer = Buffer.alloc(0)
  /** What ends the comment, CDATA section or instruction that we are in. */
  let skipTo: Buffer | 'none' = 'none'

  return (chunk, end) => {
    const data = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const places = markers.map(() => -1)
    const out: Buffer[] = []
    let copied = 0
    let at = 0
    let keep = data.length
    for (;;) {
      if (skipTo !== 'none') {
        const found = data.indexOf(skipTo, at)
        if (found < 0) {
          keep = Math.max(at, data.length - skipTo.length + 1)
          break
        }
        at = found + skipTo.length
        skipTo = 'none'
      }
      const first = nextMarker(data, markers, places, at)
      if (first === undefined) {
        keep = partialMarker(data, markers)
        break
      }
      const [marker, place] = first
      const window = data.subarray(place, place + MAX_ELEMENT_BYTES)
      const step = readMarker(window, marker)
      if (step.type === 'incomplete') {
        if (end === 'more' && window.length < MAX_ELEMENT_BYTES) {
          keep = place
          break
        }
        at = place + marker.bytes.length
        continue
      }
      at = place + step.length
      if (step.type === 'skip') skipTo = step.to
      if (step.type === 'element') {
        out.push(data.subarray(copied, place + step.from), step.text)
        copied = place + step.from + step.removed
      }
    }
    if (end === 'last') keep = data.length
    held = data.subarray(keep)
    if (out.length === 0) return data.subarray(0, keep)
    out.push(data.subarray(copied, keep))
    return Buffer.concat(out)
  }
}

/** The first marker at or after `at`. Each marker is searched for once per stretch of data: `places` remembers. */
function nextMarker(
  data: Buffer,
  markers: readonly Marker[],
  places: number[],
  at: number,
): [Marker, number] | undefined {
  let first: [Marker, number] | undefined
  for (const [i, marker] of markers.entries()) {
    let place = places[i] as number
    if (place < at) {
      place = data.indexOf(marker.bytes, at)
      if (place < 0) place = Infinity
      places[i] = place
    }
    if (place !== Infinity && (first === undefined || place < first[1])) first = [marker, place]
  }
  return first
}

/** Where the data ends in what may be the beginning of a marker; its length where it does not. */
function partialMarker(data: Buffer, markers: readonly Marker[]): number {
  const start = data.lastIndexOf(LESS)
  if (start < 0) return data.length
  const tail = data.subarray(start)
  return markers.some(({ bytes }) => isPrefix(tail, bytes)) ? start : data.length
}

const LESS = 0x3c
