import { createHash } from 'node:crypto'
import { request as httpsRequest, createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS } from '../support/origin.js'
import { CLIENT, startTestProxy } from '../support/proxy-in-process.js'
import { signedCall } from '../support/s3-client.js'

// A listing's ETags are rewritten on the way. What arrives goes on at once, and nothing of it stays.

const { authority, leaf } = testCertificates()
const MIB = 1024 * 1024
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>'
const TAIL = '</ListBucketResult>'
const etag = (i: number): string => i.toString(16).padStart(32, 'a')
const entry = (i: number, mark: '' | '-0'): string =>
  `<Contents><Key>logs/&amp;${i}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>` +
  `<ETag>&quot;${etag(i)}${mark}&quot;</ETag><Size>${i}</Size><StorageClass>STANDARD</StorageClass></Contents>`

/** An upstream whose answer the test writes. */
async function writtenUpstream(t: Test, write: (response: ServerResponse) => Promise<void>): Promise<number> {
  const server = createServer({ cert: leaf.cert, key: leaf.key }, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/xml' })
    void write(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Entries from `from` up to `to`, in writes of some hundred, no faster than they are taken. */
async function writeEntries(response: ServerResponse, from: number, to: number): Promise<void> {
  for (let at = from; at < to && !response.destroyed;) {
    let text = ''
    for (const end = Math.min(at + 200, to); at < end; at += 1) text += entry(at, '')
    if (!response.write(text)) await taken(response)
  }
}

function taken(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle).off('close', settle)
      resolve()
    }
    response.on('drain', settle).on('close', settle)
  })
}

async function askForListing(t: Test, upstreamPort: number): Promise<IncomingMessage> {
  const upstream = { port: upstreamPort, ca: authority.cert, ...ORIGIN_CREDENTIALS, region: 'us-east-1' }
  const proxy = await startTestProxy(t, { upstream })
  const side = { port: proxy.port, ...CLIENT }
  const { path, headers } = signedCall(side, 'GET', '/bucket', { query: { 'list-type': '2' } })
  const request = httpsRequest({ host: 'localhost', port: proxy.port, path, headers, ca: authority.cert, agent: false })
  request.on('error', () => undefined)
  t.teardown(() => request.destroy())
  const [answer] = (await once(request.end(), 'response')) as [IncomingMessage]
  t.equal(answer.statusCode, 200)
  return answer
}

/**
 * Bytes that this process holds: client, proxy and upstream. The least of several looks, because buffers that nobody has any more
 * are given back some time behind the collection; what is really held is there at each of them.
 */
async function heldBytes(): Promise<number> {
  let least = Infinity
  for (let look = 0; look < 10; look += 1) {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
    await delay(20)
  }
  return least
}

/** What a client has when the upstream has sent all but the last `behind` entries and then waits; and what is held then. */
async function halfWay(t: Test, keys: number, behind: number): Promise<number> {
  let goOn: () => void = () => undefined
  const told = new Promise<void>((resolve) => (goOn = resolve))
  const port = await writtenUpstream(t, async (response) => {
    response.write(HEAD)
    await writeEntries(response, 0, keys - behind)
    await told
    await writeEntries(response, keys - behind, keys)
    response.end(TAIL)
  })
  const expected = createHash('sha256').update(HEAD)
  let early = HEAD.length
  for (let i = 0; i < keys; i += 1) {
    const text = entry(i, '-0')
    expected.update(text)
    if (i < keys - behind) early += text.length
  }
  const answer = await askForListing(t, port)
  const received = createHash('sha256')
  let size = 0
  let last = ''
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length
    received.update(chunk)
    last = (last + chunk.toString('latin1')).slice(-400)
  })
  for (let i = 0; i < 1000 && size < early; i += 1) await delay(20)
  t.equal(size, early, `of ${keys} keys, all that was sent has come, rewritten, while the upstream waits`)
  t.ok(last.endsWith(entry(keys - behind - 1, '-0')), 'up to the last entry that was sent')
  const held = await heldBytes()
  const ended = once(answer, 'end')
  goOn()
  await ended
  t.equal(received.digest('hex'), expected.update(TAIL).digest('hex'), 'the whole is what it should be')
  return held
}

t.test('a listing that stops half-way is half at the client, and no memory grows with it', async (t) => {
  await halfWay(t, 20_000, 500)
  const small = await halfWay(t, 1000, 500)
  const large = await halfWay(t, 200_000, 500)
  const more = (large - small) / MIB
  t.comment(`held: ${(small / MIB).toFixed(1)} MiB with 1000 keys, ${more.toFixed(1)} MiB more with 200,000`)
  t.ok(more < 8, 'two hundred times as many keys (40 MiB) are no more to hold')
})

t.test('a client that does not read stops the upstream', async (t) => {
  const keys = 500_000
  const whole = keys * entry(100_000, '').length
  let written = 0
  const port = await writtenUpstream(t, async (response) => {
    for (let at = 0; at < keys && !response.destroyed; at += 1000) {
      await writeEntries(response, at, at + 1000)
      written = at + 1000
    }
    response.end(TAIL)
  })
  const before = await heldBytes()
  const answer = await askForListing(t, port)
  answer.pause()
  let seen = -1
  for (let i = 0; i < 100 && seen < written; i += 1) {
    seen = written
    await delay(300)
  }
  const taken = (seen / keys) * whole
  t.equal(written, seen, 'nothing moves any more')
  t.ok(
    taken < whole / 2,
    `${(taken / MIB).toFixed(1)} of ${(whole / MIB).toFixed(0)} MiB were taken, by sockets above all`,
  )
  const more = ((await heldBytes()) - before) / MIB
  t.comment(`${more.toFixed(1)} MiB are held`)
  t.ok(more < 8, 'what is held is little')
  answer.destroy()
})
