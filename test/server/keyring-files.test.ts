import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readKeyringText } from '../../src/cli/keyring-storage.js'
import type { KeyringConfig } from '../../src/config/types.js'
import { followKeyringFiles, type FollowOptions } from '../../src/keyring-files.js'
import { createKeyrings, openKeyringFile, type OpenedKeyring } from '../../src/keyring/create.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { bytesOf, checkOf, clock, written, writtenVersion } from '../keyring/material.js'
import { eventually } from './harness.js'

const v1 = writtenVersion('v1', 'active')
const old = writtenVersion('v1', 'readable')
const v2 = writtenVersion('v2', 'active')
const text = (versions: readonly unknown[], more: object = {}) =>
  `${JSON.stringify({ ...written('derived', { versions }), ...more }, null, 2)}\n`

/** Follows files that hold one key version each; the poll is out of the way unless a test wants it. */
function follow(t: Test, files: Readonly<Record<string, string>>, times = { settleMs: 10, pollMs: 600_000 }) {
  const configs = Object.entries(files).map(([name, file]): KeyringConfig => ({
    name,
    type: 'derived',
    file,
    kms: 'none',
  }))
  const created = createKeyrings(configs, readKeyringText, clock)
  if (created.type === 'problems') throw new Error(JSON.stringify(created.problems))
  const lines: Record<string, unknown>[] = []
  const results: string[] = []
  const changes: (readonly OpenedKeyring[])[] = [created.opened]
  const options: FollowOptions = {
    opener: { read: readKeyringText, open: (config, file) => openKeyringFile(config, file, clock) },
    times,
    log: createLogger({
      level: 'info',
      destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    }),
    onChange: (opened) => changes.push(opened),
    onReload: (keyring, result) => results.push(`${keyring} ${result}`),
  }
  const following = followKeyringFiles(created.opened, options)
  t.teardown(following.close)
  const inUse = () => changes.at(-1)!.map(({ keyring }) => keyring.keyVersions().join(' '))
  return { ...following, inUse, results, changes, lines }
}

function oneFile(t: Test) {
  const folder = t.testdir({ 'main.json': text([v1]) })
  const file = join(folder, 'main.json')
  chmodSync(file, 0o600)
  const replace = (content: string) => {
    writeFileSync(`${file}.other`, content, { mode: 0o600 })
    renameSync(`${file}.other`, file)
  }
  return { folder, file, replace, ...follow(t, { main: file }) }
}

t.test('a file that is replaced is loaded, without being asked', async (t) => {
  const { replace, inUse, results, lines } = oneFile(t)
  replace(text([old, v2]))
  await eventually(() => results.length === 1)
  t.strictSame([inUse(), results], [['v2 v1'], ['main accepted']])
  t.match(lines, [
    {
      msg: 'keyring in use',
      keyring: 'main',
      keyVersions: [
        { id: 'v1', state: 'readable' },
        { id: 'v2', state: 'active' },
      ],
    },
  ])
})

t.test('what may not replace a good keyring does not, and is told once, loudly, without a key', async (t) => {
  const { replace, reload, inUse, results, changes, lines } = oneFile(t)
  replace(text([old, v2]))
  await reload()
  await eventually(() => results.length === 1)
  const good = text([old, v2])
  const swapped = text([
    { ...old, key: v2.key, check: v2.check },
    { ...v2, key: v1.key, check: v1.check },
  ])
  let refusals = 0
  for (const [what, content, problem] of [
    ['truncated', good.slice(0, -40), /document is not JSON, or was cut off/],
    ['emptied', '', /document is empty/],
    ['one version twice', text([old, v2, v2]), /versions\[2\]\.id is the id of versions\[1\] already/],
    ['a member twice', good.replace('"name"', '"name": "main",\n  "name"'), /name comes twice/],
    ['keys in another order', swapped, /key version v1 is another key in the file/],
    ['a lost version', text([v2]), /key version v1 is in use and not in the file any more/],
    ['an older file', text([v1]), /key version v2 is in use and not in the file any more/],
    ['one changed key', text([old, { ...writtenVersion('v9', 'active'), id: 'v2' }]), /key version v2 is another key/],
    ['one edited key', good.replace(v2.check, v1.check), /check does not belong to the key beside it/],
    ['none active', text([old, { ...v2, state: 'readable' }]), /versions has no active key version/],
    ['another name', text([old, v2], { name: 'other' }), /name is not "main"/],
    ['another type', text([old, v2], { type: 'fixed' }), /type is not "derived"/],
    ['another format', text([old, v2], { format: 'ssec-proxy-keyring/2' }), /format is not/],
  ] as const) {
    replace(content)
    await reload()
    refusals += 1
    const last = lines.filter(({ level }) => level === 50 || level === 'error').at(-1)
    t.match(last, { msg: 'new keyring file refused, the old keyring stays in use', keyring: 'main' }, what)
    t.match((last?.problems as string[])[0], problem, what)
    t.strictSame([inUse(), changes.length], [['v2 v1'], 2], what)
  }
  t.equal(results.filter((result) => result === 'main refused').length >= refusals, true)
  const said = JSON.stringify(lines)
  for (const id of ['v1', 'v2', 'v9']) {
    for (const form of ['base64', 'hex'] as const) t.notOk(said.includes(bytesOf(id).toString(form)))
  }
  replace(good)
  await reload()
  t.equal(results.at(-1), 'main restored')
  t.match(lines.at(-1), { msg: 'keyring file is again the one in use' })
  t.equal(changes.length, 2)
})

t.test('a file that is gone or unreadable leaves the keyring as it is', async (t) => {
  const { file, replace, reload, inUse, results } = oneFile(t)
  rmSync(file)
  await reload()
  mkdirSync(file)
  await reload()
  t.strictSame(inUse(), ['v1'])
  t.ok(results.length >= 2 && results.every((result) => result === 'main refused'))
  rmSync(file, { recursive: true })
  replace(text([old, v2]))
  await reload()
  t.strictSame([inUse(), results.at(-1)], [['v2 v1'], 'main accepted'])
})

t.test('a file that is written in pieces is taken when it is whole, and not before', async (t) => {
  const { file, inUse, results, changes } = oneFile(t)
  const whole = text([old, v2])
  writeFileSync(file, '')
  for (let at = 0; at < whole.length; at += 60) {
    appendFileSync(file, whole.slice(at, at + 60))
    await delay(15)
    t.ok(at + 60 >= whole.length || inUse()[0] === 'v1')
  }
  await eventually(() => results.at(-1) === 'main accepted')
  t.strictSame([inUse(), changes.length], [['v2 v1'], 2])
})

t.test('a Kubernetes secret: the folder behind the link is swapped', async (t) => {
  const folder = t.testdir({ '..first': { 'main.json': text([v1]) }, '..second': { 'main.json': text([old, v2]) } })
  symlinkSync('..first', join(folder, '..data'))
  symlinkSync(join('..data', 'main.json'), join(folder, 'main.json'))
  const { inUse, results } = follow(t, { main: join(folder, 'main.json') })
  symlinkSync('..second', join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  await eventually(() => results.length === 1)
  t.strictSame([inUse(), results], [['v2 v1'], ['main accepted']])
})

t.test('where a folder cannot be watched, the poll finds the change; a standing fault is told once', async (t) => {
  const folder = t.testdir({ 'main.json': text([v1]) })
  const file = join(folder, 'main.json')
  const { inUse, results, lines } = follow(t, { main: file }, { settleMs: 3_600_000, pollMs: 10 })
  writeFileSync(file, text([]))
  await eventually(() => results.length === 1)
  await delay(200)
  t.strictSame(results, ['main refused'], 'twenty looks later')
  t.equal(lines.length, 1)
  writeFileSync(file, text([old, v2]))
  await eventually(() => inUse()[0] === 'v2 v1')
})

t.test('files that changed together are taken together, and a bad one does not hold up the others', async (t) => {
  const folder = t.testdir({
    'a.json': text([v1], { name: 'a' }),
    'b.json': text([v1], { name: 'b' }),
    'c.json': text([v1], { name: 'c' }),
  })
  const fileOf = (name: string) => join(folder, `${name}.json`)
  const { inUse, results, changes, reload } = follow(
    t,
    { a: fileOf('a'), b: fileOf('b'), c: fileOf('c') },
    { settleMs: 3_600_000, pollMs: 3_600_000 },
  )
  writeFileSync(fileOf('a'), text([old, v2], { name: 'a' }))
  writeFileSync(fileOf('b'), text([v2], { name: 'b' }))
  writeFileSync(fileOf('c'), text([old, v2], { name: 'c' }))
  await reload()
  t.strictSame(results, ['a accepted', 'b refused', 'c accepted'])
  t.strictSame([inUse(), changes.length], [['v2 v1', 'v1', 'v2 v1'], 2])
})

t.test('SIGHUP says that nothing changed, and a tombstone takes a version out', async (t) => {
  const { replace, reload, inUse, lines, results } = oneFile(t)
  await reload()
  t.match(lines, [{ msg: 'keyring file unchanged', keyring: 'main' }])
  replace(text([old, v2]))
  await reload()
  const tombstone = { id: 'v1', state: 'retired', created: old.created, check: checkOf(bytesOf('v1')) }
  replace(text([tombstone, v2]))
  await reload()
  await eventually(() => results.length === 2)
  t.strictSame(inUse(), ['v2'])
  t.match(lines.at(-1), { msg: 'keyring in use', keyVersions: [{ id: 'v2' }], retired: ['v1'] })
})

t.test('a slow opening does not overtake a later one, and one that breaks is told', async (t) => {
  const folder = t.testdir({ 'main.json': text([v1]) })
  const file = join(folder, 'main.json')
  const config: KeyringConfig = { name: 'main', type: 'derived', file, kms: 'none' }
  const created = createKeyrings([config], readKeyringText, clock)
  if (created.type === 'problems') throw new Error('did not load')
  const lines: string[] = []
  const seen: string[] = []
  let opening: 'slow' | 'fast' | 'broken' = 'slow'
  const { reload, close } = followKeyringFiles(created.opened, {
    opener: {
      read: readKeyringText,
      open: async (one, content) => {
        if (opening === 'broken') throw new Error('on purpose')
        if (opening === 'slow') await delay(100)
        return openKeyringFile(one, content, clock)
      },
    },
    times: { settleMs: 3_600_000, pollMs: 3_600_000 },
    log: createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
    onChange: ([one]) => seen.push(one!.keyring.keyVersions().join(' ')),
    onReload: () => undefined,
  })
  t.teardown(close)
  writeFileSync(file, text([old, v2]))
  const first = reload()
  await delay(10)
  opening = 'fast'
  writeFileSync(file, text([old, { ...v2, state: 'readable' }, writtenVersion('v3', 'active', '2026-02-01T00:00:00Z')]))
  await Promise.all([first, reload()])
  t.strictSame(seen, ['v2 v1', 'v3 v2 v1'])
  opening = 'broken'
  writeFileSync(file, text([]))
  await reload()
  t.match(lines.at(-1), /keyring files could not be looked at/)
  t.equal(seen.length, 2)
})

t.test('while KMS hangs, looks do not queue up, other keyrings go on, and the end is not held up', async (t) => {
  const folder = t.testdir({ 'a.json': text([v1], { name: 'a' }), 'b.json': text([v1], { name: 'b' }) })
  const configs = ['a', 'b'].map((name): KeyringConfig => ({
    name,
    type: 'derived',
    file: join(folder, `${name}.json`),
    kms: 'none',
  }))
  const created = createKeyrings(configs, readKeyringText, clock)
  if (created.type === 'problems') throw new Error('did not load')
  const lines: string[] = []
  const opens: string[] = []
  let release: () => void = () => undefined
  const kms = new Promise<void>((resolve) => (release = resolve))
  const { reload, close } = followKeyringFiles(created.opened, {
    opener: {
      read: readKeyringText,
      open: async (config, content) => {
        opens.push(config.name)
        if (config.name === 'a') await kms
        return openKeyringFile(config, content, clock)
      },
    },
    times: { settleMs: 3_600_000, pollMs: 3_600_000 },
    log: createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
    onChange: () => t.fail('nothing is taken after the end'),
    onReload: () => t.fail('and nothing is said of it'),
  })
  for (const name of ['a', 'b']) writeFileSync(join(folder, `${name}.json`), text([old, v2], { name }))
  const looks = [reload()]
  await delay(10)
  t.strictSame(opens, ['a', 'b'], 'at the same time')
  for (let i = 0; i < 100; i++) looks.push(reload())
  t.equal(new Set(looks).size, 2, 'the one that runs and one that waits')
  close()
  release()
  await Promise.all(looks)
  t.ok(opens.length <= 4)
  t.strictSame(lines, [])
})
