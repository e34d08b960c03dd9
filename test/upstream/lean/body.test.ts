import fc from 'fast-check'
import t from 'tap'
import { LeanBody } from '../../../src/upstream/lean/body.js'

/** What the source was asked for. */
function sourced(): { readonly body: LeanBody; readonly asked: string[] } {
  const asked: string[] = []
  const body = new LeanBody({
    pause: () => void asked.push('pause'),
    resume: () => void asked.push('resume'),
    abandon: () => void asked.push('abandon'),
  })
  return { body, asked }
}

/** A taker that says yes or no in turn, and writes down what it hears. */
function taking(answers: readonly boolean[]): {
  readonly heard: string[]
  readonly taken: () => string
  readonly taker: Parameters<LeanBody['flowTo']>[0]
} {
  const heard: string[] = []
  let taken = ''
  let at = 0
  return {
    heard,
    taken: () => taken,
    taker: {
      data: (piece) => {
        taken += piece.toString('latin1')
        at += 1
        return answers[at % Math.max(1, answers.length)] ?? true
      },
      end: () => void heard.push('end'),
      failed: (error) => void heard.push(error.message),
    },
  }
}

t.test('a connection that drains behind the last byte is not told of the end again', async (t) => {
  const { body } = sourced()
  const { heard, taker } = taking([])
  body.push(Buffer.from('a'))
  body.flowTo(taker)
  body.end()
  body.go()
  body.go()
  t.same(heard, ['end'])
})

t.test('whatever comes when, and however slowly it is taken: every byte in its order, and one end', async () => {
  const step = fc.constantFrom('push', 'go', 'flow', 'end', 'fail')
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(fc.boolean(), { maxLength: 5 }),
      async (steps, yes) => {
        const { body } = sourced()
        const { heard, taken, taker } = taking(yes)
        let sent = ''
        let isFlowing = false
        let over: 'no' | 'end' | 'broke' = 'no'
        for (const [i, one] of [...steps, 'flow', 'end'].entries()) {
          if (one === 'push' && over === 'no') {
            const piece = String.fromCharCode(65 + (i % 26)).repeat(1 + (i % 3))
            sent += piece
            body.push(Buffer.from(piece, 'latin1'))
          } else if (one === 'go' && isFlowing) body.go()
          else if (one === 'flow' && !isFlowing) {
            isFlowing = true
            body.flowTo(taker)
          } else if (one === 'end' && over === 'no') {
            over = 'end'
            body.end()
          } else if (one === 'fail' && over === 'no') {
            over = 'broke'
            body.fail(new Error('broke'))
          }
        }
        for (let i = 0; i < 50; i += 1) body.go()
        if (over === 'broke') return heard.join() === 'broke' && sent.startsWith(taken())
        return heard.join() === 'end' && taken() === sent
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('whole, where all of it is here', async (t) => {
  const { body } = sourced()
  t.equal(body.whole(), 'not yet')
  body.push(Buffer.from('ab'))
  t.equal(body.whole(), 'not yet')
  body.push(Buffer.from('c'))
  body.end()
  t.equal(body.whole().toString(), 'abc')
})

t.test('what nobody takes is held up to a limit, and then not read', async (t) => {
  const { body, asked } = sourced()
  body.push(Buffer.alloc(50_000))
  t.same(asked, [])
  body.push(Buffer.alloc(30_000))
  t.same(asked, ['pause'])
  body.resume()
  t.same(asked, ['pause', 'resume'])
  body.push(Buffer.alloc(1_000_000))
  t.same(asked, ['pause', 'resume'], 'and what is dropped is not held')
})

t.test('a body that is given up gives up its connection, unless it is whole', async (t) => {
  const broken = sourced()
  broken.body.push(Buffer.from('a'))
  broken.body.destroy()
  t.same(broken.asked, ['abandon'])
  const whole = sourced()
  whole.body.push(Buffer.from('a'))
  whole.body.end()
  whole.body.destroy()
  t.same(whole.asked, [])
})

t.test('as a stream: what was held, what comes, and its end or its error', async (t) => {
  const { body } = sourced()
  body.push(Buffer.from('a'))
  const stream = body.stream()
  t.equal(body.stream(), stream)
  body.push(Buffer.from('b'))
  body.end()
  const pieces: Buffer[] = []
  for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece)
  t.equal(Buffer.concat(pieces).toString(), 'ab')
  const broken = sourced().body
  broken.fail(new Error('broke'))
  await t.rejects(broken.stream().toArray(), { message: 'broke' })
})
