import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import type { KeyedRequest, Pipeline, UpstreamBody } from '../../src/proxy/messages.js'
import type { PayloadMode } from '../../src/sigv4/types.js'
import { OPERATIONS } from '../../src/s3/operations.js'
import { rewriteBody } from '../../src/proxy/rewrite-body.js'
import { S3Error } from '../../src/s3/error.js'
import { sha256 } from '../../src/sigv4/signing-key.js'

const LENGTH = 5
const PAYLOADS: readonly PayloadMode[] = [
  { type: 'hashed', sha256: sha256('hello') },
  { type: 'unsigned' },
  { type: 'streaming-unsigned-trailer', decodedLength: LENGTH, trailers: ['x-amz-checksum-crc32'] },
]

/** The body that a PUT's becomes. */
function rewritten(payload: PayloadMode, length: number | 'chunked', source: Readable): UpstreamBody {
  const request = {
    method: 'PUT',
    operation: OPERATIONS.find(({ name }) => name === 'PutObject'),
    payload,
    length,
    fields: new Map([['x-amz-decoded-content-length', String(LENGTH)]]),
    document: { type: 'none' },
  } as unknown as KeyedRequest
  const pipeline = { upstream: { trailingChecksums: 'relay' } } as Pick<Pipeline, 'upstream'>
  return rewriteBody(request, pipeline, new Map(), () => source).body
}

function opened(body: UpstreamBody): Readable {
  if (body.type !== 'stream') throw new Error(body.type)
  return body.open()
}

t.test('what the upstream checks itself is the stream of the client: nothing copies, counts or hashes it here', (t) => {
  for (const payload of PAYLOADS) {
    const source = new PassThrough()
    t.equal(opened(rewritten(payload, LENGTH, source)), source, payload.type)
  }
  t.end()
})

t.test('a body without a length in HTTP is held to the one that its client declared', async (t) => {
  for (const payload of PAYLOADS.slice(0, 2)) {
    const whole = (pieces: readonly string[]) => {
      const source = Readable.from(
        pieces.map((piece) => Buffer.from(piece)),
        { objectMode: false },
      )
      return buffer(opened(rewritten(payload, 'chunked', source))).then(String, (error: unknown) =>
        error instanceof S3Error ? error.code : String(error),
      )
    }
    t.equal(await whole(['hel', 'lo']), 'hello', payload.type)
    t.equal(await whole(['hello', '!']), 'IncompleteBody', payload.type)
    t.equal(await whole(['hell']), 'IncompleteBody', payload.type)
  }
})
