import { PassThrough } from 'node:stream'
import t from 'tap'
import { streamBody } from '../../src/upstream/answer-body.js'

t.test('a stream that broke off before it was asked for says so, and once', async (t) => {
  for (const waits of [false, true]) {
    const stream = new PassThrough()
    stream.on('error', () => undefined)
    stream.write('a')
    stream.destroy(new Error('broke'))
    if (waits) await new Promise((resolve) => setImmediate(resolve))
    const heard: string[] = []
    streamBody(stream).flowTo({
      data: () => true,
      end: () => void heard.push('end'),
      failed: ({ message }) => void heard.push(message),
    })
    await new Promise((resolve) => setImmediate(resolve))
    t.same(heard, ['broke'])
  }
})
