// keys generate and keys rotate where KMS wraps or has the key, against a KMS in memory; and where a command finds KMS.
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  keysGenerateInKms,
  keysRotateInKms,
  type KeysGenerateInKmsArguments,
  type KeysRotateInKmsArguments,
} from '../../src/cli/keys-new-in-kms.js'
import { keysRotate } from '../../src/cli/keys-rotate.js'
import { readKeyringText } from '../../src/cli/keyring-storage.js'
import { kmsOf, type KmsOptions } from '../../src/cli/kms-options.js'
import { openKeyrings } from '../../src/keyring/create.js'
import { AWAY, DENIED, fakeKms, KMS, writtenMac, writtenWrapped } from '../keyring/fake-kms.js'
import { bytesOf, checkOf, clock, hex, scopeOf, written, writtenObject, writtenVersion } from '../keyring/material.js'

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/one'

function stand(t: Test, document?: object) {
  const file = join(t.testdir(document === undefined ? {} : { 'keys.json': JSON.stringify(document) }), 'keys.json')
  if (document !== undefined) chmodSync(file, 0o600)
  const fake = fakeKms()
  const world = { ...fake, close: () => undefined }
  let said = { stdout: '', stderr: '' }
  const io = {
    stdout: (text: string) => void (said.stdout += text),
    stderr: (text: string) => void (said.stderr += text),
    env: {},
    now: clock,
    randomBytes: (size: number) => Buffer.from(bytesOf('random').subarray(0, size)),
  }
  const outcome = async (command: number | Promise<number>) => {
    const code = await command
    const { stdout, stderr } = said
    said = { stdout: '', stderr: '' }
    for (const form of ['base64', 'hex', 'latin1'] as const) {
      t.notOk(`${stdout}${stderr}`.includes(bytesOf('random').toString(form)), 'no key is printed')
      if (existsSync(file))
        t.notOk(readFileSync(file, 'utf8').includes(bytesOf('random').toString(form)), 'nor written')
    }
    return { code, stdout, stderr }
  }
  return {
    file,
    fake,
    io,
    outcome,
    text: () => readFileSync(file, 'utf8'),
    versions: () => (JSON.parse(readFileSync(file, 'utf8')) as { versions: Record<string, string>[] }).versions,
    generate: (more: Partial<KeysGenerateInKmsArguments> = {}) =>
      outcome(
        keysGenerateInKms(
          { file, name: 'main', type: 'derived', id: 'v1', kms: KMS, kmsKeyId: 'alias/one', ...more },
          io,
          world,
        ),
      ),
    rotate: (more: Partial<KeysRotateInKmsArguments> = {}) =>
      outcome(
        keysRotateInKms(
          { file, id: 'v2', activation: { type: 'now' }, kms: KMS, kmsKeyId: undefined, ...more },
          io,
          world,
        ),
      ),
    kms: (options: KmsOptions, env: Readonly<Record<string, string>> = {}) => {
      const found = kmsOf(file, options, { ...io, env })
      const { stderr } = said
      said = { stdout: '', stderr: '' }
      return { found, stderr }
    },
  }
}

const opens = async (file: string, type: 'derived' | 'fixed' | 'kms-mac', kms: ReturnType<typeof fakeKms>) => {
  const opened = await openKeyrings([{ name: 'main', type, file, kms: KMS }], readKeyringText, clock, kms)
  if (opened.type === 'problems') throw new Error(JSON.stringify(opened.problems))
  return opened.opened[0]!.keyring
}

t.test('generate: wrapped from its birth, in a file for its owner alone, which nothing replaces', async (t) => {
  const { file, fake, generate, versions } = stand(t)
  fake.aliases.set('alias/one', ARN)
  const made = await generate({ type: 'fixed' })
  t.match(made, {
    code: 0,
    stdout: `active key version: v1, in KMS: ${ARN}\ncheck value: ${checkOf(bytesOf('random'))}`,
  })
  t.match(made.stderr, /keys unwrap --to/)
  t.match(versions(), [{ id: 'v1', state: 'active', kmsKeyId: ARN, check: checkOf(bytesOf('random')) }])
  t.equal(statSync(file).mode & 0o777, 0o600)
  const key = await (await opens(file, 'fixed', fake)).forWrite(scopeOf('photos', 'a'))
  t.ok(hex(key.key) === bytesOf('random').toString('hex'))
  t.match(await generate(), { code: 1, stderr: /exists already/ })
})

t.test('generate: nothing is made where anything is wrong', async (t) => {
  const { file, fake, generate } = stand(t)
  t.match(await generate({ name: 'two words' }), { code: 1, stderr: /^--name must be/ })
  t.match(await generate({ id: 'none' }), { code: 1, stderr: /^--id must be/ })
  t.match(await generate({ id: 'none', type: 'kms-mac' }), { code: 1, stderr: /^--id must be/ })
  t.match(await generate({ kmsKeyId: 'two words' }), { code: 1, stderr: /^--kms-key-id is not/ })
  for (const [fault, words] of [
    [DENIED, /^KMS denies .*AccessDenied/],
    [AWAY, /^KMS is away/],
  ] as const) {
    fake.fault = fault
    for (const type of ['derived', 'kms-mac'] as const) t.match(await generate({ type }), { code: 1, stderr: words })
  }
  t.notOk(existsSync(file))
})

t.test('rotate: the new key is wrapped by the key of the active one, or by another', async (t) => {
  const document = written('derived', { versions: [writtenWrapped('main', 'v1', 'active')] })
  const { file, fake, rotate, versions } = stand(t, document)
  t.match(await rotate(), { code: 0, stdout: /active key version: v2\n/ })
  t.match(versions(), [
    { id: 'v1', state: 'readable' },
    { id: 'v2', state: 'active', kmsKeyId: 'alias/one' },
  ])
  const ring = await opens(file, 'derived', fake)
  t.strictSame(ring.keyVersions(), ['v2', 'v1'])
  t.match(
    await rotate({ id: 'v3', kmsKeyId: 'two' }),
    { code: 1, stderr: /has this key already/ },
    'the same randomness',
  )
})

t.test('rotate: a file whose active key is wrapped gets none in the clear by accident', async (t) => {
  const document = written('derived', { versions: [writtenWrapped('main', 'v1', 'active')] })
  const { file, io, outcome, text } = stand(t, document)
  const before = text()
  const plain = { file, id: 'v2', activation: { type: 'now' } } as const
  t.match(await outcome(keysRotate({ ...plain, plain: false }, io)), {
    code: 1,
    stderr: /is wrapped by KMS: --config or --kms-region .*--plain.*\nnothing was changed\n$/,
  })
  chmodSync(file, 0o644)
  t.match(await outcome(keysRotate({ ...plain, plain: true }, io)), {
    code: 1,
    stderr: /open to its group or to others: chmod 600 it .*\nnothing was changed\n$/,
  })
  t.equal(text(), before)
  chmodSync(file, 0o600)
  t.equal(keysRotate({ ...plain, plain: true }, io), 0)
})

t.test('rotate: a file in the clear says which KMS key; one of single objects has no versions', async (t) => {
  const { rotate, text } = stand(t, written('derived', { versions: [writtenVersion('v1', 'active')] }))
  const before = text()
  t.match(await rotate(), { code: 1, stderr: /--kms-key-id names the KMS key that wraps the new one\nnothing/ })
  t.equal(text(), before)
  t.match(await rotate({ kmsKeyId: 'alias/one' }), { code: 0 })
  const objects = stand(t, written('objects', { objects: [writtenObject('photos', 'a', 'one')] }))
  t.match(await objects.rotate(), { code: 1, stderr: /has no key versions/ })
  writeFileSync(objects.file, '{')
  t.match(await objects.rotate(), { code: 1, stderr: /document is not JSON.*\nnothing was changed/ })
})

t.test('kms-mac: a version for each key of KMS, by its ARN', async (t) => {
  const { file, fake, generate, rotate, versions } = stand(t)
  fake.aliases.set('alias/mac', 'mac-1')
  t.match(await generate({ type: 'kms-mac', kmsKeyId: 'alias/mac' }), { code: 0, stderr: /^Nobody can copy this key/ })
  t.strictSame(versions(), [{ ...writtenMac('mac-1', 'v1', 'active'), created: clock().toISOString() }])
  t.match(await rotate(), { code: 1, stderr: /--kms-key-id names the new key of KMS/ })
  t.match(await rotate({ kmsKeyId: 'mac-1' }), { code: 1, stderr: /has this key already/ })
  const instant = new Date('2027-01-01T00:00:00Z')
  t.match(await rotate({ kmsKeyId: 'mac-2', activation: { type: 'at', instant } }), { code: 0 })
  t.match(versions(), [
    { id: 'v1', state: 'active' },
    { id: 'v2', state: 'pending', kmsKeyId: 'mac-2' },
  ])
  t.equal((await (await opens(file, 'kms-mac', fake)).forWrite(scopeOf('photos', 'a'))).keyVersion, 'v1')
})

t.test('where KMS is: by hand, over https alone, and never half', async (t) => {
  const { kms } = stand(t, written('derived', { versions: [writtenVersion('v1', 'active')] }))
  t.equal(kms({}).found.type, 'none')
  t.match(kms({ kmsRegion: 'eu-central-1', kmsProfile: 'ops' }).found, {
    type: 'kms',
    config: {
      endpoint: { hostname: 'kms.eu-central-1.amazonaws.com', port: 443 },
      ca: { type: 'system' },
      credentials: { type: 'profile', profile: 'ops' },
    },
  })
  t.match(kms({ kmsRegion: 'cn-north-1' }).found, {
    config: { endpoint: { hostname: 'kms.cn-north-1.amazonaws.com.cn' } },
  })
  for (const [options, message] of [
    [{ kmsEndpoint: 'https://kms.example.com' }, /--kms-region is missing/],
    [{ kmsRegion: 'eu central' }, /--kms-region is not the name of a region/],
    [{ kmsRegion: 'eu-central-1', kmsEndpoint: 'http://kms.example.com' }, /--kms-endpoint must start with https/],
    [{ kmsRegion: 'eu-central-1', kmsEndpoint: 'https://kms.{region}.example.com' }, /cannot have \{region\}/],
    [{ config: 'x.yaml', kmsRegion: 'eu-central-1' }, /--config says where KMS is/],
    [{ config: '/no/such.yaml' }, /cannot be read/],
  ] as const) {
    const { found, stderr } = kms(options)
    t.equal(found.type, 'wrong')
    t.match(stderr, message)
  }
  t.match(kms({ kmsRegion: 'eu-central-1' }, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }), {
    found: { type: 'wrong' },
    stderr: /NODE_TLS_REJECT_UNAUTHORIZED is 0/,
  })
})
