import * as fs from 'node:fs'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { changeKeyringFile, createKeyringFile, readKeyringText } from '../../src/cli/keyring-storage.js'

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

t.test('a new file has mode 0600, whatever the umask, and nothing is left beside it', async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'keys.json')
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))
  t.strictSame(createKeyringFile(file, 'text'), { type: 'stored' })
  process.umask(0o777)
  t.strictSame(createKeyringFile(join(folder, 'two.json'), 'text'), { type: 'stored' })
  t.strictSame([modeOf(file), modeOf(join(folder, 'two.json'))], ['600', '600'])
  t.equal(readFileSync(file, 'utf8'), 'text')
  t.strictSame(readdirSync(folder).sort(), ['keys.json', 'two.json'])
})

t.test('a file that exists is never replaced', async (t) => {
  const folder = t.testdir({ 'keys.json': 'precious', folder: {} })
  symlinkSync('nowhere', join(folder, 'dangling'))
  for (const name of ['keys.json', 'folder', 'dangling']) {
    const result = createKeyringFile(join(folder, name), 'text')
    t.strictSame(result, {
      type: 'failed',
      reason: `${join(folder, name)} exists already; \`keys rotate\` gives it a new key version`,
    })
  }
  t.equal(readFileSync(join(folder, 'keys.json'), 'utf8'), 'precious')
  t.notOk(existsSync(join(folder, 'nowhere')))
  t.strictSame(readdirSync(folder).sort(), ['dangling', 'folder', 'keys.json'])
})

t.test('a folder that is not there', async (t) => {
  const folder = t.testdir({ file: '' })
  for (const name of ['missing/keys.json', 'file/keys.json']) {
    const file = join(folder, name)
    const failed = { type: 'failed', reason: `${file}: no such file or folder` }
    t.strictSame(createKeyringFile(file, 'text'), failed)
    t.strictSame(
      changeKeyringFile(file, () => 'text'),
      failed,
    )
  }
})

t.test('a change keeps the mode and is seen whole', async (t) => {
  const folder = t.testdir({ 'keys.json': 'before' })
  const file = join(folder, 'keys.json')
  chmodSync(file, 0o640)
  // Another name of the same file shows that the text was not written into the file but put in its place.
  linkSync(file, join(folder, 'other-name'))
  t.strictSame(
    changeKeyringFile(file, (before) => `${before}, after`),
    { type: 'stored' },
  )
  t.equal(readFileSync(file, 'utf8'), 'before, after')
  t.equal(modeOf(file), '640')
  t.equal(readFileSync(join(folder, 'other-name'), 'utf8'), 'before')
  t.strictSame(readdirSync(folder).sort(), ['keys.json', 'other-name'])
})

t.test('until it is done, the change is in a file that nobody else may read', async (t) => {
  const folder = t.testdir({ 'keys.json': 'before' })
  const file = join(folder, 'keys.json')
  chmodSync(file, 0o644)
  changeKeyringFile(file, () => {
    t.equal(modeOf(`${file}.new`), '600')
    return 'after'
  })
  t.equal(modeOf(file), '644')
})

t.test('a change that is called off, and one that fails, leave everything as it was', async (t) => {
  const folder = t.testdir({ 'keys.json': 'before' })
  const file = join(folder, 'keys.json')
  t.strictSame(
    changeKeyringFile(file, () => undefined),
    { type: 'unchanged' },
  )
  const failing = () => {
    throw new Error('on purpose')
  }
  t.throws(() => changeKeyringFile(file, failing), { message: 'on purpose' })
  t.equal(readFileSync(file, 'utf8'), 'before')
  t.strictSame(readdirSync(folder), ['keys.json'])
})

t.test('one change at a time', async (t) => {
  const folder = t.testdir({ 'keys.json': 'before' })
  const file = join(folder, 'keys.json')
  const locked = {
    type: 'failed',
    reason: `${file}.new exists: another command is changing this keyring, or was interrupted (then remove it)`,
  }
  changeKeyringFile(file, (before) => {
    t.strictSame(
      changeKeyringFile(file, () => 'lost'),
      locked,
    )
    return `${before}, first`
  })
  t.equal(readFileSync(file, 'utf8'), 'before, first')
  writeFileSync(`${file}.new`, 'what an interrupted command left')
  t.strictSame(
    changeKeyringFile(file, () => 'lost'),
    locked,
  )
  t.strictSame(createKeyringFile(file, 'lost'), locked)
  t.equal(readFileSync(`${file}.new`, 'utf8'), 'what an interrupted command left')
  t.equal(readFileSync(file, 'utf8'), 'before, first')
})

t.test('what the next command has begun, as soon as it could, is left alone', async (t) => {
  const folder = t.testdir({ 'keys.json': 'before' })
  const file = join(folder, 'keys.json')
  const renameSync = (from: string, to: string) => {
    fs.renameSync(from, to)
    writeFileSync(from, 'of the next command', { flag: 'wx' })
  }
  const raced = await t.mockImport<typeof import('../../src/cli/keyring-storage.js')>(
    '../../src/cli/keyring-storage.js',
    { 'node:fs': { ...fs, renameSync } },
  )
  t.strictSame(
    raced.changeKeyringFile(file, () => 'after'),
    { type: 'stored' },
  )
  t.equal(readFileSync(file, 'utf8'), 'after')
  t.equal(readFileSync(`${file}.new`, 'utf8'), 'of the next command', 'its lock, and where its keyring will be whole')
})

t.test('a link to the file stays a link', async (t) => {
  const folder = t.testdir({ real: { 'keys.json': 'before' } })
  const link = join(folder, 'link.json')
  symlinkSync(join('real', 'keys.json'), link)
  t.strictSame(
    changeKeyringFile(link, () => 'after'),
    { type: 'stored' },
  )
  t.ok(lstatSync(link).isSymbolicLink())
  t.equal(readlinkSync(link), join('real', 'keys.json'))
  t.equal(readFileSync(join(folder, 'real', 'keys.json'), 'utf8'), 'after')
})

t.test('reading tells text and mode, or why not', async (t) => {
  const folder = t.testdir({ 'keys.json': 'text' })
  chmodSync(join(folder, 'keys.json'), 0o604)
  mkdirSync(join(folder, 'folder'))
  t.strictSame(readKeyringText(join(folder, 'keys.json')), { type: 'text', text: 'text', mode: 0o604 })
  t.strictSame(readKeyringText(join(folder, 'gone')), { type: 'unreadable', reason: 'no such file or folder' })
  t.strictSame(readKeyringText(join(folder, 'folder')), { type: 'unreadable', reason: 'is a folder' })
})
