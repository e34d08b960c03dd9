import t from 'tap'
import { parseTraceparent } from '../../src/proxy/trace-context.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

t.test('traceparent, as W3C has it', async (t) => {
  t.strictSame(parseTraceparent(`00-${TRACE}-${SPAN}-01`), { traceId: TRACE, spanId: SPAN, sampled: true })
  t.strictSame(parseTraceparent(`00-${TRACE}-${SPAN}-02`), { traceId: TRACE, spanId: SPAN, sampled: false })
  t.match(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-later`), { traceId: TRACE })
  for (const wrong of [
    undefined,
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
  ]) {
    t.equal(parseTraceparent(wrong), 'none', String(wrong))
  }
})
