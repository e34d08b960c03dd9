import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { type BodySink, pumpBody } from '../../src/upstream/body-pump.js'
import type { ClientRequest } from '../../src/proxy/handler.js'
import { clientBody } from '../../src/proxy/client-body.js'
import { exactLength } from '../../src/proxy/exact-length.js'
import { readHead } from '../../src/proxy/read-form-head.js'
import { steppedBody } from '../../src/proxy/stepped-body.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const bodyOf = (source: Readable, record: { bytesIn: number }): Readable =>
  clientBody({ openBody: () => source } as ClientRequest, record)

t.test("it is the listener's stream, and waits for its reader", async (t) => {
  const record = { bytesIn: 0 }
  const source = new PassThrough()
  const body = bodyOf(source, record)
  t.equal(body, source)
  source.write('hello')
  await turn()
  t.equal(record.bytesIn, 0, 'nobody reads yet')
  t.equal(source.readableLength, 5)
  source.destroy(new Error('the client left'))
  await turn()
  t.pass('and an error that nobody listens for yet ends no process')
})

t.test('every byte is counted once, whoever reads', async (t) => {
  const form =
    '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
  const readers: Readonly<Record<string, (body: Readable) => Promise<string>>> = {
    'a pump': (body) =>
      new Promise((resolve, reject) => {
        const sent: Buffer[] = []
        const sink: BodySink = {
          write: (chunk) => sent.push(chunk) > 0,
          end: () => resolve(Buffer.concat(sent).toString()),
          on: () => undefined,
          off: () => undefined,
        }
        pumpBody(body, 'chunked', reject).start(sink)
      }),
    'a step': async (body) => String(await buffer(steppedBody(body, exactLength(form.length + 4)))),
    'a loop': async (body) => String(await buffer(body)),
    'a form': async (body) => {
      const { head, rest } = await readHead(body, 'b')
      return form.slice(0, head.size) + rest.toString() + String(await buffer(body))
    },
  }
  for (const [name, read] of Object.entries(readers)) {
    for (const cut of [1, 7, 1000]) {
      const record = { bytesIn: 0 }
      const whole = `${form}file`
      const pieces = Array.from({ length: Math.ceil(whole.length / cut) }, (_, i) =>
        Buffer.from(whole.slice(i * cut, (i + 1) * cut)),
      )
      t.equal(await read(bodyOf(Readable.from(pieces, { objectMode: false }), record)), whole, name)
      t.equal(record.bytesIn, whole.length, name)
    }
  }
})
