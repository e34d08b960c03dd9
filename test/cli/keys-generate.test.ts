import { readFileSync, readdirSync, statSync, chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keysGenerate, type KeysGenerateArguments } from '../../src/cli/keys-generate.js'
import { createKeyrings } from '../../src/keyring/create.js'
import { readKeyringText } from '../../src/cli/keyring-storage.js'
import { bytesOf, checkOf, scopeOf, written, writtenObject, writtenVersion } from '../keyring/material.js'

/** Runs the command with the n-th of a row of known "random" keys. */
function run(args: Partial<KeysGenerateArguments> & { readonly file: string }, random = bytesOf('random 1')) {
  let stdout = ''
  let stderr = ''
  const code = keysGenerate(
    { add: false, name: undefined, type: undefined, id: undefined, ...args },
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
  const loaded = createKeyrings([{ name: 'legacy', type: 'fixed', file }], readKeyringText)
  if (loaded.type !== 'keyrings') throw new Error('did not load')
  t.strictSame(loaded.warnings, [])
  const write = await loaded.keyrings[0]!.forWrite(scopeOf('photos', 'a'))
  t.equal(write.keyVersion, 'first')
  t.ok(write.key.export().equals(bytesOf('random 1')))
})

t.test('a file that exists is never replaced', async (t) => {
  const file = fileIn(t.testdir({ 'keys.json': 'precious' }))
  const { code, stdout, stderr } = run({ file, name: 'main', type: 'derived' })
  t.strictSame([code, stdout], [1, ''])
  t.equal(stderr, `${file} exists already; --add gives it a new key version\n`)
  t.equal(readFileSync(file, 'utf8'), 'precious')
})

t.test('what cannot be made is refused in one line', async (t) => {
  const folder = t.testdir({})
  const file = fileIn(folder)
  for (const [args, message] of [
    [{ name: 'main' }, 'a new keyring needs --name and --type'],
    [{ type: 'fixed' }, 'a new keyring needs --name and --type'],
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

t.test('--add: the new version is active, the old ones stay as they were, readable', async (t) => {
  const before = written('derived', {
    versions: [writtenVersion('v1', 'readable', '2024-01-01T00:00:00Z'), writtenVersion('v2', 'active')],
  })
  const file = fileIn(t.testdir({ 'keys.json': JSON.stringify(before) }))
  chmodSync(file, 0o640)
  const { code, stdout } = run({ file, add: true, id: 'v3' })
  t.equal(code, 0)
  t.equal(
    stdout,
    `extended ${file}: keyring main, derived, 3 key versions\nactive key version: v3\ncheck value: ${checkOf(bytesOf('random 1'))}\n`,
  )
  t.strictSame(
    read(file),
    written('derived', {
      versions: [
        writtenVersion('v1', 'readable', '2024-01-01T00:00:00Z'),
        writtenVersion('v2', 'readable'),
        {
          id: 'v3',
          state: 'active',
          created: '2026-11-23T20:00:00.123Z',
          key: bytesOf('random 1').toString('base64'),
          check: checkOf(bytesOf('random 1')),
        },
      ],
    }),
  )
  t.equal(statSync(file).mode & 0o777, 0o640, 'whoever could read it still can')
  t.equal(run({ file, add: true }, bytesOf('random 2')).code, 0)
  t.equal(run({ file, add: true }, bytesOf('random 3')).code, 0, 'twice on one day')
  const loaded = createKeyrings([{ name: 'main', type: 'derived', file }], readKeyringText)
  if (loaded.type !== 'keyrings') throw new Error('did not load')
  t.equal(loaded.keyrings[0]!.candidates(scopeOf('photos', 'a')).length, 5)
})

t.test('--add changes nothing where anything is wrong', async (t) => {
  const versions = [writtenVersion('v1', 'active')]
  const good = JSON.stringify(written('derived', { versions }))
  const objects = JSON.stringify(written('objects', { objects: [writtenObject('photos', 'a', 'one')] }))
  const damaged = good.replace(/"check":"./, '"check":"z')
  for (const [text, args, message] of [
    [good, { id: 'v1' }, /has a key version v1 already\nnothing was changed\n$/],
    [good, { name: 'other' }, /is not of a keyring named other\nnothing was changed\n$/],
    [good, { type: 'fixed' }, /is of a keyring of type derived\nnothing was changed\n$/],
    [good, { id: 'none' }, /^--id must be/],
    [objects, {}, /single objects has no key versions/],
    [damaged, {}, /versions\[0\]\.check is not 16 hex digits\nnothing was changed\n$/],
    [good.slice(0, -10), {}, /document is not JSON, or was cut off/],
    ['', {}, /document is empty/],
  ] as const) {
    const folder = t.testdir({})
    const file = fileIn(folder)
    writeFileSync(file, text)
    const { code, stdout, stderr } = run({ file, add: true, ...args })
    t.strictSame([code, stdout], [1, ''])
    t.match(stderr, message)
    t.equal(readFileSync(file, 'utf8'), text)
    t.strictSame(readdirSync(folder), ['keys.json'])
  }
  t.match(run({ file: join(t.testdir({}), 'gone.json'), add: true }), { code: 1, stderr: /no such file or folder\n$/ })
})

t.test('--add with the same randomness again is noticed before anything is written', async (t) => {
  const file = fileIn(t.testdir({}))
  t.equal(run({ file, name: 'main', type: 'derived', id: 'v1' }).code, 0)
  const before = readFileSync(file, 'utf8')
  const { code, stderr } = run({ file, add: true, id: 'v2' })
  t.equal(code, 1)
  t.match(stderr, /has this key already/)
  t.equal(readFileSync(file, 'utf8'), before)
})
