// Two runs must never share a journal, and a killed one must not keep the next from going on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { processMarks } from '../../src/cli/process-marks.js'
import { lockFile, type ProcessMark, type ProcessMarks } from '../../src/cli/run-lock.js'

const OWN: ProcessMark = { pid: 7, started: '1000', boot: 'boot-1', pidSpace: 'pid:[1]', host: 'one' }
const marks = (own: Partial<ProcessMark> = {}, startOf: ProcessMarks['startOf'] = () => '1000'): ProcessMarks => ({
  own: { ...OWN, ...own },
  startOf,
})

t.test('a second run is kept off while the first one runs, and let in when it has ended', (t) => {
  const folder = t.testdir()
  const file = join(folder, 'journal')
  const first = lockFile(file, marks())
  t.equal(first.type, 'locked')
  t.match(lockFile(file, marks({ pid: 8 })), {
    type: 'held',
    reason: /journal\.lock: this journal is used by another run/,
  })
  if (first.type === 'locked') first.release()
  t.strictSame(readdirSync(folder), [], 'nothing is left')
  t.equal(lockFile(file, marks({ pid: 8 })).type, 'locked')
  t.end()
})

t.test('whose process is gone, and who cannot know', (t) => {
  for (const [what, next, expected] of [
    ['no process has the pid', marks({ pid: 8 }, () => 'gone'), 'locked'],
    ['another process has the pid now', marks({ pid: 8 }, () => '2000'), 'locked'],
    ['it is this very pid, of a process that was started later', marks({ started: '2000' }, () => '2000'), 'locked'],
    ['the same pid in another container', marks({ pidSpace: 'pid:[2]' }), 'held'],
    ['before a restart of this machine', marks({ boot: 'boot-2' }), 'locked'],
    ['on another machine', marks({ boot: 'boot-2', host: 'two' }, () => 'gone'), 'held'],
  ] as const) {
    const file = join(t.testdir({}), 'journal')
    t.equal(lockFile(file, marks()).type, 'locked')
    const second = lockFile(file, next)
    t.equal(second.type, expected, what)
    t.strictSame(JSON.parse(readFileSync(`${file}.lock`, 'utf8')), expected === 'locked' ? next.own : OWN, what)
  }
  const bare = { boot: 'unknown', pidSpace: 'unknown', started: 'unknown' }
  for (const [what, host, expected] of [
    ['without /proc, on another machine', 'two', 'held'],
    ['without /proc, on this one', 'one', 'locked'],
  ] as const) {
    const file = join(t.testdir({}), 'journal')
    t.equal(lockFile(file, marks(bare)).type, 'locked')
    t.equal(
      lockFile(
        file,
        marks({ ...bare, pid: 8, host }, () => 'gone'),
      ).type,
      expected,
      what,
    )
  }
  for (const text of ['', '100', '{}', 'rubbish']) {
    const file = join(t.testdir({ 'journal.lock': text }), 'journal')
    t.match(
      lockFile(file, marks()),
      { type: 'held', reason: /if that one is gone, remove this file/ },
      JSON.stringify(text),
    )
    t.equal(readFileSync(`${file}.lock`, 'utf8'), text)
  }
  t.end()
})

t.test('letting go removes nobody else’s lock', (t) => {
  const file = join(t.testdir({}), 'journal')
  const first = lockFile(file, marks())
  writeFileSync(`${file}.lock`, JSON.stringify({ ...OWN, pid: 9 }))
  if (first.type === 'locked') first.release()
  t.ok(existsSync(`${file}.lock`))
  t.end()
})

t.test('a folder that is not there is told', (t) => {
  t.match(lockFile(join(t.testdir({}), 'no', 'journal'), marks()), { type: 'held' })
  t.end()
})

t.test(
  'real processes: one that was killed, and one that has its pid',
  { skip: process.platform !== 'linux' && 'no /proc' },
  async (t) => {
    const own = processMarks()
    t.match(own.own, { pid: process.pid, started: /^\d+$/, boot: /^[0-9a-f-]{36}$/, pidSpace: /^pid:\[\d+\]$/ })
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    await once(child, 'spawn')
    const started = own.startOf(child.pid!)
    t.match(started, /^\d+$/)
    const file = join(t.testdir({}), 'journal')
    const holder = { ...own.own, pid: child.pid!, started }
    t.equal(lockFile(file, { own: holder, startOf: own.startOf }).type, 'locked')
    t.equal(lockFile(file, own).type, 'held', 'it runs')
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.equal(lockFile(file, own).type, 'locked', 'it was killed')
    const other = join(t.testdir({}), 'journal')
    t.equal(lockFile(other, { own: { ...own.own, started: '1' }, startOf: own.startOf }).type, 'locked')
    t.equal(lockFile(other, own).type, 'locked', 'this process has the pid of another one, which is gone')
  },
)
