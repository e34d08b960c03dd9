import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keysActivate } from '../../src/cli/keys-activate.js'
import { readKeyringText } from '../../src/cli/keyring-storage.js'
import { keysRotate, type KeysRotateArguments } from '../../src/cli/keys-rotate.js'
import { createKeyrings } from '../../src/keyring/create.js'
import type { Activation } from '../../src/keyring/succession.js'
import { bytesOf, checkOf, scopeOf, written, writtenObject, writtenVersion } from '../keyring/material.js'

const NOW = '2026-11-23T20:00:00.123Z'
const LATER = '2026-11-23T20:10:00.123Z'

const ioAt = (now: string, random: Buffer) => {
  const printed = { stdout: '', stderr: '' }
  const io = {
    stdout: (text: string) => (printed.stdout += text),
    stderr: (text: string) => (printed.stderr += text),
    env: {},
    now: () => new Date(now),
    randomBytes: (size: number) => Buffer.from(random.subarray(0, size)),
  }
  return { printed, io }
}

function run(args: Partial<KeysRotateArguments> & { readonly file: string }, random = 'random 1', now = NOW) {
  const { printed, io } = ioAt(now, bytesOf(random))
  const code = keysRotate({ id: undefined, activation: { type: 'now' }, plain: false, ...args }, io)
  return { code, ...printed }
}

function activate(file: string, id: string, activation: Activation = { type: 'now' }, now = NOW) {
  const { printed, io } = ioAt(now, bytesOf('unused'))
  return { code: keysActivate({ file, id, activation }, io), ...printed }
}

const at = (instant: string): Activation => ({ type: 'at', instant: new Date(instant) })
const fileIn = (folder: string) => join(folder, 'keys.json')
const read = (file: string) =>
  JSON.parse(readFileSync(file, 'utf8')) as { versions: readonly Record<string, unknown>[] }
const states = (file: string) => read(file).versions.map(({ id, state }) => `${id as string} ${state as string}`)
const made = (id: string, state: string, random = 'random 1') => ({
  ...writtenVersion(random, state, NOW),
  id,
})
const keyring = (...versions: readonly unknown[]) => JSON.stringify(written('derived', { versions }))

t.test('the new version is active, the old ones stay as they were, readable', async (t) => {
  const before = keyring(writtenVersion('v1', 'readable', '2024-01-01T00:00:00Z'), writtenVersion('v2', 'active'))
  const file = fileIn(t.testdir({ 'keys.json': before }))
  chmodSync(file, 0o640)
  const { code, stdout, stderr } = run({ file, id: 'v3' })
  t.equal(code, 0)
  t.equal(
    stdout,
    `rotated ${file}: keyring main, derived, 3 key versions\nactive key version: v3\ncheck value: ${checkOf(bytesOf('random 1'))}\n`,
  )
  t.match(stderr, /Back the file up.*--activate-in/s)
  t.strictSame(
    read(file),
    written('derived', {
      versions: [
        writtenVersion('v1', 'readable', '2024-01-01T00:00:00Z'),
        writtenVersion('v2', 'readable'),
        made('v3', 'active'),
      ],
    }),
  )
  t.equal(statSync(file).mode & 0o777, 0o640, 'whoever could read it still can')
  for (const secret of [bytesOf('random 1'), bytesOf('v1')]) {
    for (const form of ['base64', 'hex', 'latin1'] as const) {
      t.notOk(`${stdout}${stderr}`.includes(secret.toString(form)), 'no key is printed')
    }
  }
  t.equal(run({ file }, 'random 2').code, 0)
  t.equal(run({ file }, 'random 3').code, 0, 'twice on one day')
  const loaded = createKeyrings(
    [{ name: 'main', type: 'derived', file, kms: 'none' }],
    readKeyringText,
    () => new Date(NOW),
  )
  if (loaded.type !== 'keyrings') throw new Error('did not load')
  t.equal(loaded.opened[0]!.keyring.candidates(scopeOf('photos', 'a')).length, 5)
})

t.test('a version that is active later is pending until then, and the next rotation settles it', async (t) => {
  const file = fileIn(t.testdir({ 'keys.json': keyring(writtenVersion('v1', 'active')) }))
  const { code, stdout } = run({ file, id: 'v2', activation: at(LATER) })
  t.equal(code, 0)
  t.match(stdout, `pending key version: v2, active from ${LATER} on\n`)
  t.strictSame(read(file).versions, [writtenVersion('v1', 'active'), { ...made('v2', 'pending'), activateAt: LATER }])
  const before = readFileSync(file, 'utf8')
  const early = run({ file, id: 'v3' }, 'random 2')
  t.match(early, { code: 1, stderr: /pending key version, v2, .*keys activate.*\nnothing was changed\n$/ })
  t.equal(readFileSync(file, 'utf8'), before)
  t.equal(run({ file, id: 'v3', activation: at('2027-01-01T00:00:00Z') }, 'random 2', LATER).code, 0)
  t.strictSame(states(file), ['v1 readable', 'v2 active', 'v3 pending'])
  t.notOk('activateAt' in read(file).versions[1]!)
})

t.test('activate: a pending version at once, at another time, or an old one again', async (t) => {
  const file = fileIn(t.testdir({ 'keys.json': keyring(writtenVersion('v1', 'active')) }))
  t.equal(run({ file, id: 'v2', activation: at(LATER) }).code, 0)
  t.match(activate(file, 'v2', at('2027-01-01T00:00:00Z')), {
    code: 0,
    stdout: /active from 2027-01-01T00:00:00.000Z on/,
  })
  t.strictSame(states(file), ['v1 active', 'v2 pending'])
  t.match(activate(file, 'v2'), { code: 0, stdout: /key version v2: active\n/ })
  t.strictSame(states(file), ['v1 readable', 'v2 active'])
  t.match(activate(file, 'v1'), { code: 0 })
  t.strictSame(states(file), ['v1 active', 'v2 readable'])
  t.match(activate(file, 'v1'), { code: 1, stderr: /key version v1 is active already\nnothing was changed\n$/ })
  t.match(activate(file, 'v9'), { code: 1, stderr: /has no key version v9 that could be active; it has v1, v2\n/ })
})

t.test('activate with the active version calls off the pending one, which stays readable', async (t) => {
  const file = fileIn(t.testdir({ 'keys.json': keyring(writtenVersion('v1', 'active')) }))
  t.equal(run({ file, id: 'v2', activation: at(LATER) }).code, 0)
  t.match(activate(file, 'v1', at(LATER)), { code: 1, stderr: /v1 is active already/ })
  t.match(activate(file, 'v1'), { code: 0, stderr: /key version v2 is pending no more, and readable\n/ })
  t.strictSame(states(file), ['v1 active', 'v2 readable'])
  t.notOk('activateAt' in read(file).versions[1]!)
})

t.test('changes nothing where anything is wrong', async (t) => {
  const good = keyring(writtenVersion('v1', 'active'), {
    id: 'v0',
    state: 'retired',
    created: '2024-01-01T00:00:00Z',
    check: checkOf(bytesOf('random 9')),
  })
  const objects = JSON.stringify(written('objects', { objects: [writtenObject('photos', 'a', 'one')] }))
  const damaged = good.replace(/"check":"./, '"check":"z')
  for (const [text, args, message] of [
    [good, { id: 'v1' }, /has a key version v1 already.*--id.*\nnothing was changed\n$/],
    [good, { id: 'v0' }, /has a key version v0 already, or had one.*\nnothing was changed\n$/],
    [good, { id: 'none' }, /^--id must be/],
    [objects, {}, /single objects has no key versions/],
    [damaged, {}, /versions\[0\]\.check is not 16 hex digits\nnothing was changed\n$/],
    [good.slice(0, -10), {}, /document is not JSON, or was cut off/],
    ['', {}, /document is empty/],
  ] as const) {
    const folder = t.testdir({})
    const file = fileIn(folder)
    writeFileSync(file, text)
    const { code, stdout, stderr } = run({ file, ...args })
    t.strictSame([code, stdout], [1, ''])
    t.match(stderr, message)
    t.equal(readFileSync(file, 'utf8'), text)
    t.strictSame(readdirSync(folder), ['keys.json'])
  }
  t.match(run({ file: join(t.testdir({}), 'gone.json') }), { code: 1, stderr: /no such file or folder\nnothing was/ })
})

t.test('the same randomness again is noticed before anything is written, for a retired key too', async (t) => {
  const old = { id: 'v0', state: 'retired', created: '2024-01-01T00:00:00Z', check: checkOf(bytesOf('random 2')) }
  const file = fileIn(t.testdir({ 'keys.json': keyring(writtenVersion('v1', 'active'), old) }))
  t.equal(run({ file, id: 'v2' }).code, 0)
  const before = readFileSync(file, 'utf8')
  for (const random of ['random 1', 'random 2']) {
    t.match(run({ file, id: 'v3' }, random), { code: 1, stderr: /has this key already/ })
  }
  t.match(run({ file }, 'v1'), { code: 1, stderr: /has this key already/ })
  t.equal(readFileSync(file, 'utf8'), before)
})
