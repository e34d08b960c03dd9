import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { rmSync } from 'node:fs'
import t from 'tap'
import { compile } from './compile.js'

const COMPILED = compile(fileURLToPath(new URL('../../src/server/v8-flags.ts', import.meta.url)))
t.teardown(() => rmSync(COMPILED.folder, { recursive: true }))

t.test('this V8 knows the flags: it says nothing of them', async (t) => {
  const program = `import(${JSON.stringify(COMPILED.file)}).then(({ setV8Flags }) => setV8Flags())`
  t.same(await promisify(execFile)(process.execPath, ['-e', program]), { stdout: '', stderr: '' })
  const unknown = await promisify(execFile)(process.execPath, [
    '-e',
    "require('node:v8').setFlagsFromString('--no-such-flag')",
  ])
  t.match(unknown.stderr, /unrecognized flag/, 'of one that it does not know it does')
})
