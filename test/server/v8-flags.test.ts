import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { rmSync } from 'node:fs'
import t from 'tap'
import { compile } from './compile.js'

const COMPILED = compile(fileURLToPath(new URL('tenuring-program.ts', import.meta.url)))
t.teardown(() => rmSync(COMPILED.folder, { recursive: true }))

const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, args, { maxBuffer: 100_000_000 })

t.test('this V8 knows the flags: it says nothing of them', async (t) => {
  t.same(await run(COMPILED.file, 'set'), { stdout: '', stderr: '' })
  const unknown = await run('-e', "require('node:v8').setFlagsFromString('--no-such-flag')")
  t.match(unknown.stderr, /unrecognized flag/, 'of one that it does not know it does')
})

t.test('V8 takes no place in the code for one that makes long-lived objects', async (t) => {
  const decisions = async (how: string): Promise<number> =>
    (await run('--trace-pretenuring-statistics', COMPILED.file, how)).stdout.split('=> ').length - 1
  t.ok((await decisions('set')) <= 1, 'but for one of a thread of node')
  t.ok((await decisions('not')) >= 2, 'left alone it does, of both places')
})
