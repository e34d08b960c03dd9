import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { testCertificates } from '../support/certificates.js'
import { startTestProxy } from '../support/proxy-in-process.js'
import { LeanBody } from '../../src/upstream/lean/body.js'
import { eventually, rawClient } from '../server/harness.js'

// Bodies that come to a client's connection in a way that no upstream should bring about.

const MUCH = Buffer.alloc(20_000_000)
const GET = 'GET /bucket/key HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** A proxy whose upstream answers with this body, under that length. */
async function start(t: Test, length: number, pieces: readonly Buffer[]) {
  let isAbandoned = false
  const body = new LeanBody({
    pause: () => undefined,
    resume: () => undefined,
    abandon: () => (isAbandoned = true),
  })
  for (const piece of pieces) body.push(piece)
  const proxy = await startTestProxy(t, {
    upstream: {
      port: 1,
      ca: testCertificates().authority.cert,
      accessKeyId: 'a',
      secretAccessKey: 'not a secret',
      region: 'us-east-1',
    },
    rules: [{ bucket: '*', prefix: '', keys: { type: 'plain', clientKeys: 'reject' }, etag: 'passthrough' }],
    transport: async () => ({ status: 200, fields: new Map([['content-length', String(length)]]), body }),
  })
  return { proxy, body, isAbandoned: () => isAbandoned }
}

t.test('a body that is longer or shorter than its length ends its own request and nothing else', async (t) => {
  for (const [length, isFollowed] of [
    [MUCH.length, true],
    [MUCH.length + 1, false],
    [10, false],
  ] as const) {
    const { proxy, body } = await start(t, length, [MUCH, ...(isFollowed ? [Buffer.from('and more')] : [])])
    const client = rawClient(proxy.plainPort)
    client.socket.pause()
    client.send(GET)
    await eventually(() => client.socket.readableLength > 0 || client.socket.destroyed || proxy.events.length > 0)
    body.end()
    client.socket.resume()
    const said = await client.closed
    const [head = '', ...rest] = said.split('\r\n\r\n')
    t.match(head, /^(?:$|HTTP\/1\.1 200 )/)
    t.ok(rest.join('').length <= length, 'nothing that would be read as the next answer')
    t.match(await proxy.lastEvent(), { outcome: 'upstream-failed', status: 200 })
    await proxy.close()
  }
})

t.test('a client that leaves while the end of its answer is still held here', async (t) => {
  const end = Buffer.from('the end')
  const { proxy, body } = await start(t, MUCH.length + end.length, [MUCH, end])
  const client = connect(proxy.plainPort, '127.0.0.1')
  client.write(GET)
  await new Promise((resolve) => client.once('readable', resolve))
  body.end()
  client.destroy()
  await eventually(() => proxy.events.length > 0)
  t.match(proxy.events, [{ outcome: 'client-gone' }])
})
