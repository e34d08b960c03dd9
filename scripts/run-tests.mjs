#!/usr/bin/env node
// run-tests.mjs NAME [what tap takes]: runs tests with a record of all that they print and of every secret that they use,
// then the tests of test/end over that record. The last line is `NAME: N passed, N failed, N skipped`; it counts
// assertions, as tap does.
//
// SSEC_PROXY_TEST_RECORD  a folder for the record, which is then kept. It holds secrets. Default: a temp folder, removed.
// SSEC_PROXY_TEST_COUNTS  a file that gets the last line too.
// SSEC_PROXY_CLIENT_TABLE a file for the table of clients, such as docs/client-results.md.
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [name, ...tapArguments] = process.argv.slice(2)
if (name === undefined) throw new Error('usage: run-tests.mjs NAME [what tap takes]')
const kept = process.env.SSEC_PROXY_TEST_RECORD
const record = kept ?? mkdtempSync(join(tmpdir(), 'ssec-proxy-record-'))

/**
 * Runs tap. What it and the tests say goes on and into `file`, which is TAP in either case: with a terminal tap writes it
 * there itself, beside what is for the eye.
 */
function tap(args, file) {
  const tty = process.stdout.isTTY
  const reporter = tty ? ['--reporter=base', '--color', '-o', `${file}.tap`] : ['--reporter=tap']
  const log = createWriteStream(file)
  const child = spawn(process.execPath, [tapProgram(), 'run', ...reporter, ...args], {
    cwd: root,
    env: { ...process.env, SSEC_PROXY_TEST_RECORD: record },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.on('data', (chunk) => {
      to.write(chunk)
      log.write(chunk)
    })
  }
  return new Promise((resolve) => {
    child.once('close', (code) => log.end(() => resolve(counts(tty ? `${file}.tap` : file, code))))
  })
}

function tapProgram() {
  const { bin } = JSON.parse(readFileSync(join(root, 'node_modules/tap/package.json'), 'utf8'))
  return join(root, 'node_modules/tap', bin.tap)
}

/** tap's own sum, the last of the raw output's outermost level, such as `# { total: 9, pass: 8, fail: 1 }`. */
function counts(file, code) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const sum = [...text.matchAll(/^# \{ (total: [^}]*)\}/gm)].at(-1)?.[1]
  const of = (what) => Number(new RegExp(`${what}: (\\d+)`).exec(sum ?? '')?.[1] ?? 0)
  const passed = of('pass')
  const failed = of('fail')
  if (sum === undefined || of('total') === 0) {
    console.error(`${name}: tap ended with code ${code} and without a sum`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  // an exit code that the sum does not explain: a crash, a timeout, an empty file
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped: of('skip') + of('todo') }
}

const tests = await tap(tapArguments, join(record, 'output.txt'))

// not in the record: it is what looks through it
const outside = mkdtempSync(join(tmpdir(), 'ssec-proxy-end-'))
const ends = readdirSync(join(root, 'test/end')).map((file) => join('test/end', file))
const end = await tap(['--disable-coverage', '--allow-empty-coverage', ...ends], join(outside, 'output.txt'))
rmSync(outside, { recursive: true, force: true })

const table = join(record, 'clients.md')
if (existsSync(table)) {
  const text = readFileSync(table, 'utf8')
  console.log(text)
  const to = process.env.SSEC_PROXY_CLIENT_TABLE
  if (to !== undefined) writeFileSync(to, text)
}
if (kept === undefined) rmSync(record, { recursive: true, force: true })

const sum = (what) => tests[what] + end[what]
const line = `${name}: ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`
console.log(line)
if (process.env.SSEC_PROXY_TEST_COUNTS !== undefined) appendFileSync(process.env.SSEC_PROXY_TEST_COUNTS, `${line}\n`)
process.exitCode = sum('failed') === 0 ? 0 : 1
