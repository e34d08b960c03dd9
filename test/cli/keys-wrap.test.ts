// keys wrap and keys unwrap against a KMS in memory that can do anything wrong.
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keysUnwrap, keysWrap, type KeysUnwrapArguments, type KeysWrapArguments } from '../../src/cli/keys-wrap.js'
import { createKeyrings, openKeyrings } from '../../src/keyring/create.js'
import { readKeyringText } from '../../src/cli/keyring-storage.js'
import { AWAY, DENIED, fakeKms, KMS, THROTTLED, writtenMac, writtenWrapped } from '../keyring/fake-kms.js'
import { bytesOf, checkOf, clock, hex, scopeOf, written, writtenObject, writtenVersion } from '../keyring/material.js'

const tombstone = { id: 'v0', state: 'retired', created: '2024-01-01T00:00:00Z', check: checkOf(bytesOf('v0')) }
const pending = { ...writtenVersion('v3', 'pending'), activateAt: '2027-01-01T00:00:00Z' }
const THREE = [writtenVersion('v1', 'readable'), writtenVersion('v2', 'active'), pending, tombstone]
const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/one'

function installation(t: Test, document: object = written('derived', { versions: THREE })) {
  const folder = t.testdir({ 'keys.json': JSON.stringify(document) })
  const file = join(folder, 'keys.json')
  chmodSync(file, 0o600)
  const fake = fakeKms()
  fake.aliases.set('alias/one', ARN)
  const world = { ...fake, close: () => undefined }
  let said = { stdout: '', stderr: '' }
  const io = {
    stdout: (text: string) => void (said.stdout += text),
    stderr: (text: string) => void (said.stderr += text),
    env: {},
    now: clock,
    randomBytes: (size: number) => Buffer.alloc(size),
  }
  const outcome = async (command: Promise<number>) => {
    const code = await command
    const { stdout, stderr } = said
    said = { stdout: '', stderr: '' }
    for (const id of ['v1', 'v2', 'v3']) {
      for (const form of ['base64', 'hex', 'latin1'] as const) {
        t.notOk(`${stdout}${stderr}`.includes(bytesOf(id).toString(form)), 'no key is printed')
      }
    }
    return { code, stdout, stderr }
  }
  const common = { file, keyVersions: [], kms: KMS }
  return {
    folder,
    file,
    fake,
    world,
    text: () => readFileSync(file, 'utf8'),
    materials: (of = file) =>
      (JSON.parse(readFileSync(of, 'utf8')) as { versions: { id: string; key?: string; kmsKeyId?: string }[] }).versions
        .map(({ id, key, kmsKeyId }) => `${id} ${key === undefined ? (kmsKeyId ?? 'none') : 'plain'}`)
        .join(', '),
    wrap: (more: Partial<KeysWrapArguments> = {}, other = world) =>
      outcome(keysWrap({ ...common, kmsKeyId: 'alias/one', rewrap: false, ...more }, io, other)),
    unwrap: (more: Partial<KeysUnwrapArguments> = {}) =>
      outcome(keysUnwrap({ ...common, to: { type: 'in-place' }, ...more }, io, world)),
  }
}

const keysIn = async (file: string, kms: ReturnType<typeof fakeKms>) => {
  const config = { name: 'main', type: 'derived', file, kms: KMS } as const
  const opened = await openKeyrings([config], readKeyringText, clock, kms)
  if (opened.type === 'problems') throw new Error(JSON.stringify(opened.problems))
  const { keyring } = opened.opened[0]!
  const scope = scopeOf('photos', 'a//b')
  const found = keyring.candidates(scope).map(async (id) => {
    const key = await keyring.forVersion(scope, id)
    return key === 'unknown' ? key : `${id} ${hex(key.key)}`
  })
  return Promise.all(found)
}

t.test('there and back: the same keyring, its states, its tombstones, its mode', async (t) => {
  const { file, fake, folder, wrap, unwrap, materials, text } = installation(t)
  const before = JSON.parse(text()) as object
  const keys = await keysIn(file, fake)
  const wrapped = await wrap()
  t.equal(wrapped.code, 0)
  t.match(
    wrapped.stdout,
    /^3 key versions wrapped in .*: keyring main, derived\n {2}v1 {2}check value [0-9a-f]{16} {2}/,
  )
  t.match(wrapped.stderr, /still in the clear in every earlier copy/)
  t.equal(materials(), `v1 ${ARN}, v2 ${ARN}, v3 ${ARN}, v0 none`, 'an alias became its ARN')
  for (const id of ['v1', 'v2', 'v3']) {
    for (const form of ['base64', 'hex', 'latin1'] as const) t.notOk(text().includes(bytesOf(id).toString(form)))
  }
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(readdirSync(folder), ['keys.json'], 'nothing is left beside it')
  t.ok((await keysIn(file, fake)).join() === keys.join(), 'the same data keys')
  const unwrapped = await unwrap()
  t.equal(unwrapped.code, 0)
  t.match(unwrapped.stderr, /in the clear/)
  t.strictSame(JSON.parse(text()), before)
})

t.test('what is wrapped already is left, a second time nothing is done, and --rewrap takes another key', async (t) => {
  const versions = [writtenWrapped('main', 'v1', 'readable'), writtenVersion('v2', 'active')]
  const { fake, file, wrap, materials, text } = installation(t, written('derived', { versions }))
  fake.aliases.clear()
  const keys = await keysIn(file, fake)
  t.match(await wrap({ kmsKeyId: 'key-two' }), {
    code: 0,
    stdout: /^1 key versions wrapped.*\n.*alias\/one, as it was\n/,
  })
  t.equal(materials(), 'v1 alias/one, v2 key-two')
  const before = text()
  fake.calls.length = 0
  t.match(await wrap({ kmsKeyId: 'key-two' }), { code: 0, stdout: /^0 key versions wrapped/, stderr: '' })
  t.equal(text(), before)
  t.strictSame(fake.calls, [], 'nobody is asked')
  t.match(await wrap({ kmsKeyId: 'key-two', rewrap: true, keyVersions: ['v1'] }), { code: 0 })
  t.equal(materials(), 'v1 key-two, v2 key-two')
  t.ok((await keysIn(file, fake)).join() === keys.join())
})

t.test('chosen versions alone; one that is not there is an error', async (t) => {
  const { wrap, unwrap, materials, text } = installation(t)
  t.match(await wrap({ keyVersions: ['v2'] }), { code: 0, stdout: /v1 .*plain, as it was\n/ })
  t.equal(materials(), `v1 plain, v2 ${ARN}, v3 plain, v0 none`)
  const before = text()
  for (const id of ['v9', 'v0']) {
    t.match(await wrap({ keyVersions: ['v2', id] }), {
      code: 1,
      stderr: `no key version ${id} with a key; it has v1, v2, v3`,
    })
    t.match(await unwrap({ keyVersions: [id] }), { code: 1 })
  }
  t.equal(text(), before)
})

t.test('unwrap into a new file leaves the old one, is for its owner alone and replaces nothing', async (t) => {
  const { folder, file, wrap, unwrap, materials, text } = installation(t)
  await wrap()
  chmodSync(file, 0o644)
  const before = text()
  const copy = join(folder, 'safe.json')
  t.match(await unwrap({ to: { type: 'file', file: copy } }), { code: 0, stdout: /^made .*safe\.json/ })
  t.equal(text(), before)
  t.equal(statSync(copy).mode & 0o777, 0o600)
  t.equal(materials(copy), 'v1 plain, v2 plain, v3 plain, v0 none')
  const opened = createKeyrings([{ name: 'main', type: 'derived', file: copy, kms: 'none' }], readKeyringText, clock)
  t.equal(opened.type, 'keyrings')
  t.match(await unwrap({ to: { type: 'file', file: copy } }), { code: 1, stderr: /exists already/ })
  t.match(await unwrap(), { code: 1, stderr: /open to its group or to others: chmod 600/ })
  t.equal(text(), before)
})

t.test('nothing is changed where KMS gives nothing, gives something else, or the file changes meanwhile', async (t) => {
  const { file, fake, world, wrap, text, folder } = installation(t)
  const plain = text()
  for (const [fault, words] of [
    [AWAY, /key version v1: KMS is away .*ECONNREFUSED\nnothing was changed\n$/],
    [DENIED, /key version v1: KMS denies .*AccessDeniedException\nnothing/],
    [THROTTLED, /key version v1: KMS throttles.*\nnothing/],
  ] as const) {
    fake.fault = fault
    t.match(await wrap({}, { ...world, kms: fake.kms, connect: () => fake.kms }), {
      code: 1,
      stdout: '',
      stderr: words,
    })
    t.equal(text(), plain)
  }
  fake.fault = 'none'
  fake.decrypted = bytesOf('another')
  t.match(await wrap(), { code: 1, stderr: /check value does not belong to the unwrapped key/ }, 'verified before')
  t.equal(text(), plain)
  fake.decrypted = 'right'

  // Denied in the middle: the first version is wrapped by then, and must not be in the file.
  const encrypt = fake.kms.encrypt
  let calls = 0
  const failing = {
    ...fake.kms,
    encrypt: (...args: Parameters<typeof encrypt>) => (++calls > 1 ? Promise.resolve(DENIED) : encrypt(...args)),
  }
  t.match(await wrap({}, { ...world, connect: () => failing }), { code: 1, stderr: /key version v2: KMS denies/ })
  t.equal(text(), plain)

  const other = JSON.stringify(written('derived', { versions: [...THREE.slice(0, 3), { ...tombstone, id: 'v00' }] }))
  const changing = {
    ...fake.kms,
    encrypt: (...args: Parameters<typeof encrypt>) => {
      writeFileSync(file, other)
      return encrypt(...args)
    },
  }
  t.match(await wrap({}, { ...world, connect: () => changing }), {
    code: 1,
    stderr: /was changed by somebody else meanwhile; run the command again\nnothing was changed\n$/,
  })
  t.equal(text(), other)
  writeFileSync(`${file}.new`, '')
  t.match(await wrap(), { code: 1, stderr: /another command is changing this keyring/ })
  t.equal(text(), other)
  t.strictSame(readdirSync(folder).sort(), ['keys.json', 'keys.json.new'])
})

t.test('unwrap: what is of another keyring stays shut, and where nothing is wrapped nothing is done', async (t) => {
  const { unwrap, text } = installation(t, written('derived', { versions: [writtenWrapped('other', 'v1', 'active')] }))
  const before = text()
  t.match(await unwrap(), { code: 1, stderr: /key version v1: KMS denies .*InvalidCiphertextException/ })
  t.equal(text(), before)
  t.match(await installation(t).unwrap(), { code: 0, stdout: /^0 key versions unwrapped/, stderr: '' })
})

t.test('what cannot be wrapped says so', async (t) => {
  for (const [document, message] of [
    [written('kms-mac', { versions: [writtenMac('alias/mac', 'm1', 'active')] }), /never leave KMS/],
    [written('objects', { objects: [writtenObject('photos', 'a', 'v1')] }), /single objects cannot be wrapped/],
    [{}, /format/],
  ] as const) {
    const { wrap, unwrap } = installation(t, document)
    t.match(await wrap(), { code: 1, stderr: message })
    t.match(await unwrap(), { code: 1, stderr: message })
  }
  t.match(await installation(t).wrap({ kmsKeyId: 'two words' }), { code: 1, stderr: /--kms-key-id is not a key id/ })
})
