import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { compile } from '../server/compile.js'

/** What docs/configuration.md states, and what rememberedVersions does. */
const BYTES_BESIDE_NAMES = 100

t.test('a million objects take so much memory, and keep nothing of the requests that named them', async (t) => {
  const { file, folder } = compile(fileURLToPath(new URL('../keyring/remember-a-million.ts', import.meta.url)))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const said = execFileSync(process.execPath, ['--expose-gc', file], { encoding: 'utf8' })
  const { bytes, names, known } = JSON.parse(said) as { bytes: number; names: number; known: boolean }
  t.ok(known)
  t.equal(names, 80)
  t.comment(`${bytes.toFixed(0)} bytes an object, ${names} of them its names`)
  t.ok(bytes <= BYTES_BESIDE_NAMES + names, `${bytes.toFixed(0)} bytes`)
})
