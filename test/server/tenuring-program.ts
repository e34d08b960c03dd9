// Keeps what it makes over some collections, as large bodies keep a request's objects. Started by v8-flags.test.ts.
import { setV8Flags } from '../../src/server/v8-flags.js'

if (process.argv[2] === 'set') setV8Flags()

const make = (n: number) => ({ n, list: [n, n + 1] })

let kept: object[][] = []
for (let turn = 0; turn < 600; turn += 1) {
  const made: object[] = []
  for (let n = 0; n < 10_000; n += 1) made.push(make(n))
  kept.push(made)
  if (kept.length > 150) kept = kept.slice(100)
}
