import { Readable } from 'node:stream'
import t from 'tap'
import type { PostForm } from '../../src/proxy/messages.js'
import { formBody, lengthBehindHead } from '../../src/proxy/form-body.js'
import { S3Error } from '../../src/s3/error.js'

const HEAD = Buffer.from('head')
const OURS = '-'.repeat(40)
const END = '\r\n--b--\r\n'

function formOf(
  pieces: Iterable<Buffer>,
  length: number,
  range = { min: 0, max: Infinity },
  rest: Buffer = Buffer.alloc(0),
): PostForm {
  const body = Readable.from(pieces, { objectMode: false })
  return {
    type: 'form',
    fields: new Map(),
    boundary: 'b',
    signed: 'none',
    range,
    remaining: length,
    rest,
    body,
  }
}

/** What was sent before the body ended or failed. */
async function sent(form: PostForm): Promise<{ readonly bytes: string; readonly code: string }> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of formBody(form, HEAD, OURS, HEAD.length + lengthBehindHead(form, OURS))) {
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    return { bytes: Buffer.concat(chunks).toString(), code: error instanceof S3Error ? error.code : String(error) }
  }
  return { bytes: Buffer.concat(chunks).toString(), code: 'none' }
}

t.test('the upstream gets no end of a form whose file is too long or too short', async (t) => {
  const form = (range: { min: number; max: number }) => formOf([Buffer.from(`content${END}`)], 7 + END.length, range)
  t.same(await sent(form({ min: 7, max: 7 })), { bytes: `headcontent\r\n--${OURS}--\r\n`, code: 'none' })
  const long = await sent(form({ min: 0, max: 6 }))
  t.equal(long.code, 'EntityTooLarge')
  t.notMatch(long.bytes, OURS)
  const short = await sent(form({ min: 8, max: 9 }))
  t.equal(short.code, 'EntityTooSmall')
  t.notMatch(short.bytes, OURS)
})

t.test('a form that came with its head goes out in one piece, or fails as one that streams', async (t) => {
  const ranges = [
    { min: 0, max: Infinity },
    { min: 0, max: 6 },
    { min: 8, max: 9 },
  ]
  for (const text of [`content${END}`, `content${END.slice(0, -4)}`, `content\r\n--b\r\nsubmit${END}`, END, 'x']) {
    const bytes = Buffer.from(text)
    for (const range of ranges) {
      const whole = formOf([], bytes.length, range, bytes)
      const outcome = await sent(whole)
      const streamed = await sent(formOf([bytes.subarray(3)], bytes.length, range, bytes.subarray(0, 3)))
      t.equal(outcome.code, streamed.code, text)
      t.equal(outcome.bytes, outcome.code === 'none' ? streamed.bytes : '', 'and nothing at all where it failed')
      await new Promise((resolve) => setImmediate(resolve))
      t.ok(whole.body.destroyed, 'nothing is left of the body')
    }
  }
  const small = formBody(formOf([], 7 + END.length, undefined, Buffer.from(`content${END}`)), HEAD, OURS, 57)
  let pieces = 0
  for await (const piece of small) pieces += (piece as Buffer).length > 0 ? 1 : 0
  t.equal(pieces, 1)
})

t.test('the file streams: pieces come out as they go in, none is kept', async (t) => {
  const size = 64 * 1024
  const count = 4096
  let made = 0
  function* pieces(): Generator<Buffer> {
    for (; made < count; made += 1) yield Buffer.alloc(size, 'x')
    yield Buffer.from(END)
  }
  const form = formOf(pieces(), count * size + END.length)
  const length = HEAD.length + lengthBehindHead(form, OURS)
  let taken = 0
  let ahead = 0
  for await (const chunk of formBody(form, HEAD, OURS, length)) {
    taken += (chunk as Buffer).length
    ahead = Math.max(ahead, made * size - taken)
  }
  t.equal(taken, length, 'as long as it was said to be')
  t.ok(ahead < 32 * size, `never more than 2 MiB of 256 are on their way (${ahead} bytes)`)
})
