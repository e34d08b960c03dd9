import t from 'tap'
import { type CpuProfile, costsOf } from '../../bench/profile.js'

const frame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber })

/** root → idle, and root → handle → (sign → sign), parse */
const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('handle', 'file:///nowhere/handle.js', 9), children: [4, 6] },
    { id: 4, callFrame: frame('sign', 'file:///nowhere/sign.js', 0), children: [5] },
    { id: 5, callFrame: frame('sign', 'file:///nowhere/sign.js', 0) },
    { id: 6, callFrame: frame('', 'node:internal/parse', 4) },
  ],
  samples: [2, 3, 4, 5, 6, 5],
  timeDeltas: [10_000, 100, 200, 300, 300, 100],
}

t.test('shares of the time that was not idle, by self time, recursion counted once', async (t) => {
  t.same(costsOf(PROFILE), [
    { name: 'sign /nowhere/sign.js:1', self: 0.6, inclusive: 0.6 },
    { name: '(anonymous) node:internal/parse:5', self: 0.3, inclusive: 0.3 },
    { name: 'handle /nowhere/handle.js:10', self: 0.1, inclusive: 1 },
  ])
})

t.test('a process that did nothing has no functions', async (t) => {
  t.same(
    costsOf({ ...PROFILE, samples: [2], timeDeltas: [5] }).filter(({ self }) => self > 0),
    [],
  )
})
