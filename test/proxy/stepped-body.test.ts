import { PassThrough, Readable } from 'node:stream'
import { once } from 'node:events'
import t from 'tap'
import type { BodyStep } from '../../src/sigv4/body-step.js'
import { S3Error } from '../../src/s3/error.js'
import { decodeChunks } from '../../src/sigv4/chunk-decoder.js'
import { seededWith } from '../sigv4/examples.js'
import { sha256 } from '../../src/sigv4/signing-key.js'
import { steppedBody } from '../../src/proxy/stepped-body.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Passes everything on, and keeps `last` for the end. */
const passing = (end: BodyStep['end'] = () => undefined): BodyStep => ({ piece: (bytes, out) => out(bytes), end })

async function read(body: Readable): Promise<{ readonly text: string; readonly error: string }> {
  let text = ''
  body.on('data', (bytes: Buffer) => (text += bytes.toString()))
  let error = 'none'
  body.on('error', (failed: Error) => (error = failed instanceof S3Error ? failed.code : failed.message))
  await once(body, 'close').catch(() => undefined)
  return { text, error }
}

t.test('pieces pass, and the end may add some, at once or later', async (t) => {
  const at = (when: 'now' | 'later') =>
    passing((out) => {
      const add = () => out(Buffer.from('!'))
      if (when === 'later') return turn().then(add)
      add()
      return undefined
    })
  for (const when of ['now', 'later'] as const) {
    const source = Readable.from([Buffer.from('a'), Buffer.from('b')], { objectMode: false })
    t.same(await read(steppedBody(source, at(when))), { text: 'ab!', error: 'none' })
    t.ok(source.destroyed)
  }
})

t.test('what a step throws ends the body and the source, with what passed before', async (t) => {
  const refused = () => {
    throw new S3Error('SignatureDoesNotMatch')
  }
  const onlyA: BodyStep['piece'] = (bytes, out) => {
    if (bytes.toString() === 'a') out(bytes)
  }
  const steps: readonly BodyStep[] = [
    { piece: (bytes, out) => (bytes.toString() === 'b' ? refused() : out(bytes)), end: () => undefined },
    { piece: onlyA, end: refused },
    { piece: onlyA, end: () => turn().then(refused) },
  ]
  for (const step of steps) {
    const source = Readable.from([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')], { objectMode: false })
    t.same(await read(steppedBody(source, step)), { text: 'a', error: 'SignatureDoesNotMatch' })
    t.ok(source.destroyed)
  }
})

t.test('a source that fails, is closed, or was before: the body fails and its step never ends', async (t) => {
  const never = passing(() => {
    throw new Error('ended')
  })
  const whole = (body: Readable) => read(body).then(({ error }) => error)
  const failing = new PassThrough()
  const failed = whole(steppedBody(failing, never))
  failing.write('a')
  await turn()
  failing.destroy(new S3Error('RequestTimeout'))
  t.equal(await failed, 'RequestTimeout')

  const closing = new PassThrough()
  const closed = whole(steppedBody(closing, never))
  closing.destroy()
  t.equal(await closed, 'IncompleteBody')

  const gone = new PassThrough()
  gone.on('error', () => undefined)
  gone.destroy(new S3Error('RequestTimeout'))
  await once(gone, 'close').catch(() => undefined)
  const late = steppedBody(gone, never)
  await turn()
  t.equal((late.errored as S3Error).code, 'RequestTimeout', 'and a body that nobody listens to yet ends no process')
})

t.test('a reader that gives up: the source is let go, and the step is not called again', async (t) => {
  const source = new PassThrough()
  let pieces = 0
  const body = steppedBody(source, {
    piece: (bytes, out) => {
      pieces++
      out(bytes)
      body.destroy()
      out(bytes)
    },
    end: () => undefined,
  })
  const seen: Buffer[] = []
  body.on('data', (bytes: Buffer) => seen.push(bytes))
  source.write('a')
  source.write('b')
  await once(body, 'close')
  await turn()
  t.ok(source.destroyed)
  t.equal(pieces, 1)
  t.equal(seen.length, 1, 'nothing passes a body that was given up')
})

t.test('memory does not grow with a chunk, nor with a reader that does not read', async (t) => {
  const length = 64 * 1024 * 1024
  const bytes = Buffer.alloc(65_536, 'x')
  const header = Buffer.from(`${length.toString(16)};chunk-signature=${sha256('whatever')}\r\n`)
  const verified = seededWith(sha256('seed'))
  const decoding = () => {
    const source = new PassThrough()
    const mode = { type: 'streaming-signed', decodedLength: length } as const
    return { source, body: steppedBody(source, decodeChunks({ mode, verified, trailingChecksum: 'verify' })) }
  }
  const held = ({ source, body }: ReturnType<typeof decoding>) =>
    body.readableLength + source.readableLength + source.writableLength

  const reading = decoding()
  let passed = 0
  let buffered = 0
  reading.body.on('data', (piece: Buffer) => (passed += piece.length))
  reading.source.write(header)
  for (let sent = bytes.length; sent < length; sent += bytes.length) {
    if (!reading.source.write(bytes)) await once(reading.source, 'drain')
    buffered = Math.max(buffered, held(reading))
  }
  await turn()
  t.ok(passed > length - 4 * bytes.length, 'bytes pass before the signature of their chunk can be checked')
  t.ok(buffered <= 4 * bytes.length, `${buffered} bytes`)

  const stalled = decoding()
  stalled.body.once('data', () => stalled.body.pause())
  stalled.source.write(header)
  let accepted = 0
  for (let idle = 0; idle < 3; idle++) {
    while (stalled.source.write(bytes)) {
      accepted += bytes.length
      idle = 0
    }
    await turn()
  }
  t.ok(accepted <= 5 * bytes.length, `${accepted} bytes`)
  t.ok(held(stalled) <= 8 * bytes.length, `${held(stalled)} bytes`)
  reading.body.destroy()
  stalled.body.destroy()
})
