import { HeadBuffer, HeadTooLong } from '../../../src/server/lean/head-buffer.js'
import { Malformed } from '../../../src/http1/malformed.js'
import { RequestBody } from '../../../src/server/lean/request-body.js'
import { parseRequestHead } from '../../../src/server/lean/request-head.js'

export interface ReadRequest {
  readonly method: string
  readonly target: string
  /** Names in lower case. */
  readonly headers: readonly string[]
  readonly body: string
  readonly isWhole: boolean
}

export interface ReadRequests {
  readonly requests: readonly ReadRequest[]
  /** Why what follows them is no request; `none` where all of it was taken. */
  readonly fault: string
}

/** What a connection reads from these pieces, one request after the other; behind one that closes it nothing. */
export function readRequests(pieces: readonly string[]): ReadRequests {
  const requests: ReadRequest[] = []
  const head = new HeadBuffer()
  let body: RequestBody | 'none' = 'none'
  let text: string[] = []
  let isLast = false
  const end = (): void => {
    const last = requests.pop()
    if (last !== undefined) requests.push({ ...last, body: text.join(''), isWhole: body === 'none' || body.isWhole })
  }
  const read = (bytes: Buffer, offset: number): number => {
    if (body !== 'none' && !body.isWhole) {
      const next = body.read(bytes, offset)
      end()
      return next
    }
    if (isLast) return bytes.length
    const next = head.read(bytes, offset)
    if (next < 0) return bytes.length
    const { method, target, fieldLines, framing, keepsAlive } = parseRequestHead(head.take())
    body = framing === 0 ? 'none' : new RequestBody(framing, () => undefined)
    isLast = !keepsAlive
    text = []
    const mine = text
    // Emitted at once in these tests: what is pushed is what was read.
    if (body !== 'none')
      body.open().push = (chunk: Buffer | null) => (chunk !== null && mine.push(chunk.toString('latin1')), true)
    requests.push({ method, target, headers: fieldLines, body: '', isWhole: false })
    end()
    return next
  }
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1')
      for (let at = 0; at < bytes.length;) at = read(bytes, at)
    }
  } catch (error) {
    end()
    if (!(error instanceof Malformed || error instanceof HeadTooLong)) throw error
    return { requests, fault: error.message }
  }
  return { requests, fault: 'none' }
}
