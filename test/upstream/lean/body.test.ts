import t from 'tap'
import { LeanBody } from '../../../src/upstream/lean/body.js'

/** A body whose taker is told what to answer, and notes what it got. */
function taken(takes: () => boolean) {
  const seen: string[] = []
  const source = {
    pause: () => seen.push('pause'),
    resume: () => seen.push('resume'),
    abandon: () => seen.push('abandon'),
  }
  const body = new LeanBody(source)
  const taker = {
    data: (piece: Buffer) => {
      seen.push(piece.toString())
      return takes()
    },
    end: () => void seen.push('end'),
    failed: () => void seen.push('failed'),
  }
  return { seen, body, take: () => body.flowTo(taker) }
}

t.test('a taker that is slow for the last piece hears of the end once', async (t) => {
  const { seen, body, take } = taken(() => false)
  take()
  body.push(Buffer.from('last'))
  body.end()
  body.go()
  body.go()
  t.same(seen, ['resume', 'last', 'pause', 'end'], 'and the connection, which may serve another by then, is left alone')
})

t.test('what was held while nobody took it comes in order, at the pace of the taker, and ends once', async (t) => {
  const { seen, body, take } = taken(() => false)
  for (const piece of ['a', 'b']) body.push(Buffer.from(piece))
  body.end()
  take()
  t.same(seen, ['a'])
  body.go()
  t.same(seen, ['a', 'b'])
  body.go()
  body.go()
  t.same(seen, ['a', 'b', 'end'])
})
