import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keysGenerate, type KeysGenerateArguments } from '../../src/cli/keys-generate.js'
import { createKeyrings } from '../../src/keyring/create.js'
import { readKeyringText } from '../../src/cli/keyring-storage.js'
import { bytesOf, checkOf, clock, scopeOf, written } from '../keyring/material.js'

/** Runs the command with the n-th of a row of known "random" keys. */
function run(args: Partial<KeysGenerateArguments> & { readonly file: string }, random = bytesOf('random 1')) {
  let stdout = ''
  let stderr = ''
  const code = keysGenerate(
    { name: 'main', type: 'derived', id: undefined, ...args },
    {
      stdout: (text) => (stdout += text),
      stderr: (text) => (stderr += text),
      env: {},
      now: () => new Date('2026-11-23T20:00:00.123Z'),
      randomBytes: (size) => Buffer.from(random.subarray(0, size)),
    },
  )
  return { code, stdout, stderr }
}

const fileIn = (folder: string) => join(folder, 'keys.json')
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

t.test('a new keyring', async (t) => {
  const file = fileIn(t.testdir({}))
  const key = bytesOf('random 1')
  const { code, stdout, stderr } = run({ file, name: 'main', type: 'derived' })
  t.equal(code, 0)
  const id = `2026-11-23-${checkOf(key).slice(0, 6)}`
  t.equal(stdout, `made ${file}: keyring main, derived\nactive key version: ${id}\ncheck value: ${checkOf(key)}\n`)
  t.match(stderr, /Back the file up/)
  t.strictSame(
    read(file),
    written('derived', {
      versions: [
        { id, state: 'active', created: '2026-11-23T20:00:00.123Z', key: key.toString('base64'), check: checkOf(key) },
      ],
    }),
  )
  t.equal(statSync(file).mode & 0o777, 0o600)
  for (const secret of [key.toString('base64'), key.toString('hex'), key.toString('latin1')]) {
    t.notOk(`${stdout}${stderr}`.includes(secret), 'the key is not printed')
  }
})

t.test('it loads, and encrypts with the key that was made', async (t) => {
  const file = fileIn(t.testdir({}))
  t.equal(run({ file, name: 'legacy', type: 'fixed', id: 'first' }).code, 0)
  const loaded = createKeyrings([{ name: 'legacy', type: 'fixed', file, kms: 'none' }], readKeyringText, clock)
  if (loaded.type !== 'keyrings') throw new Error('did not load')
  t.strictSame(loaded.warnings, [])
  const write = await loaded.opened[0]!.keyring.forWrite(scopeOf('photos', 'a'))
  t.equal(write.keyVersion, 'first')
  t.ok(write.key.export().equals(bytesOf('random 1')))
})

t.test('a file that exists is never replaced', async (t) => {
  const file = fileIn(t.testdir({ 'keys.json': 'precious' }))
  const { code, stdout, stderr } = run({ file, name: 'main', type: 'derived' })
  t.strictSame([code, stdout], [1, ''])
  t.equal(stderr, `${file} exists already; \`keys rotate\` gives it a new key version\n`)
  t.equal(readFileSync(file, 'utf8'), 'precious')
})

t.test('what cannot be made is refused in one line', async (t) => {
  const folder = t.testdir({})
  const file = fileIn(folder)
  for (const [args, message] of [
    [
      { name: 'my keys', type: 'fixed' },
      '--name must be 1 to 64 of letters, digits, ".", "_" and "-", and not a reserved word',
    ],
    [
      { name: 'main', type: 'fixed', id: 'v/1' },
      '--id must be 1 to 64 of letters, digits, ".", "_" and "-", and not a reserved word',
    ],
    [
      { name: 'main', type: 'fixed', id: 'plain' },
      '--id must be 1 to 64 of letters, digits, ".", "_" and "-", and not a reserved word',
    ],
  ] as const) {
    t.strictSame(run({ file, ...args }), { code: 1, stdout: '', stderr: `${message}\n` })
  }
  t.strictSame(run({ file, name: 'main', type: 'fixed' }, Buffer.alloc(32)), {
    code: 1,
    stdout: '',
    stderr: "the system's randomness gave no key: it is one byte repeated, which is no key\n",
  })
  t.strictSame(readdirSync(folder), [])
})
