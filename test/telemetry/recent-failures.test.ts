import t from 'tap'
import { newestFirst, recentFailures } from '../../src/telemetry/recent-failures.js'
import { served } from './event.js'

t.test('the last twenty that did not go well, as the log names their objects', async (t) => {
  let second = 0
  const failures = recentFailures(() => new Date(Date.UTC(2026, 0, 1, 0, 0, second++)))
  failures.note(served, 'clear')
  failures.note({ ...served, outcome: 'client-gone' }, 'clear')
  t.strictSame(failures.list(), [])
  for (let i = 1; i <= 30; i++) {
    const reason = `reason ${i}`
    failures.note({ ...served, outcome: 'refused', status: 403, errorCode: 'AccessDenied', reason }, 'clear')
  }
  t.equal(failures.list().length, 20)
  const [newest] = newestFirst([failures.list()])
  t.match(newest, { reason: 'reason 30', objectKey: 'a/b c.jpg', identity: 'app', errorCode: 'AccessDenied' })
  failures.note({ ...served, outcome: 'upstream-failed' }, 'omitted')
  failures.note({ ...served, outcome: 'refused' }, 'hashed')
  const [hashed, omitted] = newestFirst([failures.list(), []])
  t.match(hashed, { objectKeyHash: /^[0-9a-f]{16}$/ })
  for (const one of [hashed, omitted]) t.equal(one?.objectKey, undefined)
})
