import t, { type Test } from 'tap'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type AuditFileOptions, auditFile } from '../../src/telemetry/audit-file.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { eventually } from '../server/harness.js'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { openAuditLog } from '../../src/telemetry/audit.js'
import { tmpdir } from 'node:os'
import { served } from '../telemetry/event.js'

function opened(t: Test, name = 'audit.jsonl', given: Partial<AuditFileOptions> = {}) {
  const folder = t.testdir()
  const path = join(folder, name)
  const said: Record<string, unknown>[] = []
  const log = createLogger({
    level: 'debug',
    destination: { write: (line) => void said.push(JSON.parse(line) as Record<string, unknown>) },
  })
  const start = () => auditFile({ path, log, retryMs: 10, mostWaiting: 10_000, ...given })
  return { folder, path, said, log, start }
}

/** A file system with room for 4 KiB, and for more once its file `ballast` is gone; `none` where it cannot be made. */
function fullDisk(t: Test, kib: number): string | 'none' {
  const small = mkdtempSync(join(tmpdir(), 'audit-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'none', small], { stdio: 'pipe' })
  } catch (error) {
    rmdirSync(small)
    t.pass(`skipped: no mount here, so no file system that fills up: ${(error as Error).message}`, { skip: true })
    return 'none'
  }
  t.teardown(() => {
    execFileSync('umount', ['-l', small])
    rmdirSync(small)
  })
  writeFileSync(join(small, 'ballast'), 'x'.repeat((kib - 4) * 1024))
  return small
}

const lines = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1)

t.test('lines are appended in order, the file is closed to others, and what was there stays', async (t) => {
  const { path, start } = opened(t)
  const sink = start()
  t.equal(lstatSync(path).mode & 0o137, 0, 'neither executable nor open to others')
  for (let i = 0; i < 500; i++) sink.write(`${i}\n`, 'drop')
  await sink.close()
  t.strictSame(
    lines(path),
    Array.from({ length: 500 }, (_, i) => `${i}`),
  )
  t.strictSame(sink.state(), { written: 500, lost: 0, failing: false, behind: false })
  const again = start()
  again.write('next\n', 'drop')
  await again.close()
  t.equal(lines(path).length, 501)
})

t.test('renamed and opened anew, as logrotate does it: no line is lost', async (t) => {
  const { path, start } = opened(t)
  const sink = start()
  for (let i = 0; i < 200; i++) {
    if (i === 100) {
      renameSync(path, `${path}.1`)
      sink.reopen()
    }
    sink.write(`${i}\n`, 'drop')
  }
  await sink.close()
  t.equal(lines(path).length + lines(`${path}.1`).length, 200)
  t.ok(lines(path).length >= 100)
})

t.test('a full disk: told once, kept, written when there is room again', async (t) => {
  const { folder, path, said, start } = opened(t)
  symlinkSync('/dev/full', path)
  const sink = start()
  sink.write('1\n', 'drop')
  await eventually(() => sink.state().failing)
  for (let i = 2; i <= 5; i++) sink.write(`${i}\n`, 'drop')
  await new Promise((resolve) => setTimeout(resolve, 60))
  t.equal(said.filter(({ level }) => level === 'error').length, 1)
  t.match(said.at(-1), { file: path, reason: /ENOSPC/ })
  rmSync(path)
  writeFileSync(join(folder, 'room'), '')
  symlinkSync('room', path)
  await eventually(() => !sink.state().failing)
  await sink.close()
  t.strictSame(lines(path), ['1', '2', '3', '4', '5'])
  t.match(said.at(-1), { msg: 'the audit log is written again', lost: 0 })
})

t.test('a line of which only a part was written is written again, whole', async (t) => {
  const small = fullDisk(t, 8)
  if (small === 'none') return
  const { log } = opened(t)
  const path = join(small, 'audit.jsonl')
  const sink = auditFile({ path, log, retryMs: 10, mostWaiting: 1_000_000 })
  const long = (i: number) => `${JSON.stringify({ i, text: 'y'.repeat(990) })}\n`
  for (let i = 0; i < 7; i++) sink.write(long(i), 'drop')
  await eventually(() => sink.state().failing)
  rmSync(join(small, 'ballast'))
  await eventually(() => sink.state().written === 7)
  await sink.close()
  const whole = lines(path).flatMap((line) => {
    try {
      return [(JSON.parse(line) as { i: number }).i]
    } catch {
      return []
    }
  })
  t.strictSame(whole, [0, 1, 2, 3, 4, 5, 6], 'each once, whole; what is torn is a line of its own')
  t.ok(lines(path).length <= 8)
})

t.test('what one process could write only a part of does not spoil the line of another', async (t) => {
  const small = fullDisk(t, 16)
  if (small === 'none') return
  const { log } = opened(t)
  const path = join(small, 'audit.jsonl')
  const late = auditFile({ path, log, retryMs: 60_000, mostWaiting: 1_000_000 })
  const soon = auditFile({ path, log, retryMs: 10, mostWaiting: 1_000_000 })
  late.write(`${JSON.stringify({ by: 'late', text: 'y'.repeat(5_000) })}\n`, 'keep')
  await eventually(() => late.state().failing)
  soon.write(`${JSON.stringify({ by: 'soon' })}\n`, 'keep')
  await eventually(() => soon.state().failing)
  rmSync(join(small, 'ballast'))
  await eventually(() => soon.state().written === 1)
  await soon.close()
  await late.close()
  const by = lines(path).flatMap((line) => {
    try {
      return [(JSON.parse(line) as { by: string }).by]
    } catch {
      return []
    }
  })
  t.strictSame(by, ['soon', 'late'])
})

t.test('what cannot be kept is lost and counted; the end does not wait for a disk that is full', async (t) => {
  const { path, start, said } = opened(t, 'audit.jsonl', { mostWaiting: 20 })
  symlinkSync('/dev/full', path)
  const sink = start()
  for (let i = 10; i < 30; i++) sink.write(`${i}\n`, 'drop')
  await eventually(() => sink.state().failing)
  t.match(sink.state(), { lost: 13, behind: true })
  await sink.close()
  t.match(said.at(-1), { msg: 'lines of the audit log were lost', lines: 20 })
})

t.test('a file that cannot be opened ends the start with one line; one that is open to others is told', async (t) => {
  const { folder, path, start, said } = opened(t)
  mkdirSync(path)
  t.throws(start, { message: `audit.file ${path}: is a directory` })
  rmSync(path, { recursive: true })
  writeFileSync(path, '')
  chmodSync(path, 0o666)
  await start().close()
  t.match(said.at(-1), { level: 'warn', mode: '0666' })
  rmSync(folder, { recursive: true })
  t.throws(start, { message: `audit.file ${path}: no such file` })
})

t.test('while nothing can be written down, nothing is carried out; unless the configuration says so', async (t) => {
  for (const onFailure of ['refuse', 'continue'] as const) {
    const { path, log } = opened(t)
    rmSync(path, { force: true })
    symlinkSync('/dev/full', path)
    const audit = openAuditLog(
      { type: 'on', to: { type: 'file', path }, objectKeys: 'clear', onFailure },
      { now: () => new Date(), log, stdout: { write: () => undefined } },
    )
    t.equal(audit.outOfOrder(), 'none')
    audit.observe(served)
    await eventually(() => audit.state().failing)
    if (onFailure === 'refuse') t.match(audit.outOfOrder(), /^the audit log cannot be written/)
    else t.equal(audit.outOfOrder(), 'none')
    await audit.close()
  }
})

t.test('refused requests, however many, do not push out the line of one that was carried out', async (t) => {
  const { folder, path, log } = opened(t)
  symlinkSync('/dev/full', path)
  const audit = openAuditLog(
    { type: 'on', to: { type: 'file', path }, objectKeys: 'clear', onFailure: 'refuse' },
    { now: () => new Date(), log, stdout: { write: () => undefined } },
  )
  audit.observe(served)
  await eventually(() => audit.state().failing)
  const refused = { ...served, stage: 'listener', outcome: 'refused', reason: 'x'.repeat(1_000_000) } as const
  for (let i = 0; i < 20; i++) audit.observe(refused)
  const { lost } = audit.state()
  t.ok(lost > 0 && lost < 20, 'there is no room for all of them')
  // An upload that took longer than all that.
  audit.observe({ ...served, requestId: 'LONGUPLOAD', operation: 'PutObject' })
  t.equal(audit.state().lost, lost)
  rmSync(path)
  writeFileSync(join(folder, 'room'), '')
  symlinkSync('room', path)
  await eventually(() => !audit.state().failing)
  await audit.close()
  t.ok(lines(path).some((line) => line.includes('"requestId":"LONGUPLOAD"')))
})

t.test('on standard output, between the lines of the log', async (t) => {
  const out: string[] = []
  const { log, path } = opened(t)
  const audit = openAuditLog(
    { type: 'on', to: { type: 'stdout' }, objectKeys: 'clear', onFailure: 'refuse' },
    { now: () => new Date(), log, stdout: { write: (line) => void out.push(line) } },
  )
  audit.observe(served)
  audit.reopen()
  await audit.close()
  t.match(out, [/^\{"type":"audit",.*\}\n$/])
  t.strictSame(audit.state(), { written: 1, lost: 0, failing: false, behind: false })
  t.notOk(existsSync(path))
})
