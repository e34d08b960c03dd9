// keys list, verify and retire against the embedded origin: what they find there, and what they refuse to lose.
import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keysList } from '../../src/cli/keys-list.js'
import { keysRetire, type KeysRetireArguments } from '../../src/cli/keys-retire.js'
import { keysVerify, type KeysVerifyArguments } from '../../src/cli/keys-verify.js'
import { derivedKeyring } from '../../src/keyring/derived.js'
import { targetHeaders } from '../../src/s3/customer-key.js'
import { bytesOf, checkOf, clock, scopeOf, versionOf, written, writtenVersion } from '../keyring/material.js'
import { testCertificates } from '../support/certificates.js'
import { noProgress } from '../support/no-progress.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { pathOf, s3 } from '../support/s3-client.js'

const origin = await startTestOrigin({ buckets: ['photos', 'versioned', 'other'] })
t.teardown(() => origin.close())
origin.setVersioning('versioned', 'Enabled')

const ring = derivedKeyring('main', [versionOf('v1', 'readable'), versionOf('v2', 'active')], clock)
const stranger = derivedKeyring('main', [versionOf('lost', 'active')], clock)

const at = { port: origin.port, ...ORIGIN_CREDENTIALS }
async function send(method: string, path: string, headers: Record<string, string> = {}, query = {}) {
  const answer = await s3(at, method, path, { headers, query, ...(method === 'PUT' ? { body: 'body' } : {}) })
  if (answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
}
async function put(bucket: string, objectKey: string, keyVersion: string, keyring = ring): Promise<void> {
  const dataKey = await keyring.forVersion(scopeOf(bucket, objectKey), keyVersion)
  await send('PUT', pathOf(bucket, objectKey), dataKey === 'unknown' ? {} : targetHeaders(dataKey.key))
}

const tombstone = { id: 'v0', state: 'retired', created: '2024-01-01T00:00:00Z', check: checkOf(bytesOf('v0')) }

function installation(t: Test, versions: readonly object[], rule = "bucket: '*'", now = () => new Date()) {
  const folder = t.testdir({
    'keys.json': JSON.stringify(written('derived', { versions })),
    'ca.pem': testCertificates().authority.cert,
    'config.yaml': `
listeners: [{ http: { port: 0, anonymous: anyone } }]
upstream:
  endpoint: https://localhost:${origin.port}
  region: us-east-1
  ca: ca.pem
  credentials: { accessKeyId: ${ORIGIN_CREDENTIALS.accessKeyId}, secretAccessKey: { env: UPSTREAM_SECRET } }
identities: [{ name: anyone, anonymous: true, grants: [{ bucket: '*', permissions: [read] }] }]
keyrings: [{ name: main, type: derived, file: keys.json }]
rules: [{ ${rule}, keyring: main }]
`,
  })
  const file = join(folder, 'keys.json')
  chmodSync(file, 0o600)
  const printed = { stdout: '', stderr: '' }
  const io = {
    stdout: (text: string) => (printed.stdout += text),
    stderr: (text: string) => (printed.stderr += text),
    env: { UPSTREAM_SECRET: ORIGIN_CREDENTIALS.secretAccessKey },
    now,
    randomBytes: (size: number) => randomBytes(size),
  }
  const outcome = async (code: number | Promise<number>) => {
    const result = { code: await code, ...printed }
    printed.stdout = printed.stderr = ''
    for (const id of ['v0', 'v1', 'v2', 'lost']) {
      for (const form of ['base64', 'hex'] as const) {
        t.notOk(`${result.stdout}${result.stderr}`.includes(bytesOf(id).toString(form)), 'no key is printed')
      }
    }
    return result
  }
  const config = join(folder, 'config.yaml')
  return {
    file,
    config,
    list: (json: boolean) => outcome(keysList({ file, json }, io)),
    verify: (args: Partial<KeysVerifyArguments>) =>
      outcome(
        keysVerify(
          { file: undefined, config, bucket: undefined, prefix: '', sample: 'all', json: false, ...args },
          io,
          noProgress,
        ),
      ),
    retire: (id: string, more: Partial<KeysRetireArguments> = {}) => {
      const args = { file, id, config, ignoreUploads: false, buckets: [], theseAreAll: true, ...more }
      return outcome(keysRetire(args, io, noProgress))
    },
  }
}

const two = [writtenVersion('v1', 'readable'), writtenVersion('v2', 'active')]
const stateOf = (file: string) =>
  (JSON.parse(readFileSync(file, 'utf8')) as { versions: { id: string; state: string }[] }).versions.map(
    ({ id, state }) => `${id} ${state}`,
  )

t.test('list shows states as they are now, ages and check values', async (t) => {
  const pending = { ...writtenVersion('v2', 'pending'), activateAt: '2026-11-23T19:59:59Z' }
  const { list, file } = installation(t, [writtenVersion('v1', 'active'), pending, tombstone], undefined, clock)
  const text = await list(false)
  t.equal(text.code, 0)
  t.match(text.stdout, /^keyring main, derived\n {2}id +state +created +age +check value +key\n/)
  t.match(text.stdout, new RegExp(`\n {2}v2 +active +2026-01-01T00:00:00Z +326 d +${checkOf(bytesOf('v2'))} +plain\n`))
  t.match(text.stdout, /\n {2}v1 +readable /)
  t.match(text.stdout, /\n {2}v0 +retired .* none\n/)
  const { stdout } = await list(true)
  t.match(JSON.parse(stdout), {
    file,
    name: 'main',
    type: 'derived',
    versions: [
      { id: 'v1', state: 'readable', ageDays: 326, check: checkOf(bytesOf('v1')), material: 'plain' },
      { id: 'v2', state: 'active' },
      { id: 'v0', state: 'retired', material: 'none' },
    ],
  })
  writeFileSync(file, '{')
  t.match(await list(false), { code: 1, stdout: '', stderr: /document is not JSON, or was cut off/ })
})

t.test('verify: a file, a configuration, and what does not fit', async (t) => {
  const { verify, file } = installation(t, two)
  t.match(await verify({ file, config: undefined }), {
    code: 0,
    stdout: /every key fits its check value\nkeyring main/,
  })
  t.match(await verify({}), { code: 0, stdout: /every key fits its check value\nkeyring main/ })
  t.match(await verify({ config: undefined }), { code: 1, stderr: /name a keyring file, or a configuration/ })
  t.match(await verify({ file, config: undefined, bucket: 'photos' }), { code: 1, stderr: /--bucket needs --config/ })
  writeFileSync(file, readFileSync(file, 'utf8').replace(checkOf(bytesOf('v1')), '0000000000000000'))
  for (const args of [{ file, config: undefined }, {}]) {
    t.match(await verify(args), { code: 1, stderr: /versions\[0\]\.check:? does not belong to the key beside it/ })
  }
})

t.test('verify --bucket: which key opens each object, and exit code 1 where none does', async (t) => {
  const { verify } = installation(t, two, 'bucket: photos')
  await put('photos', 'old', 'v1')
  await put('photos', 'a//b ü', 'v2')
  await put('photos', 'new', 'v2')
  await put('photos', 'clear', 'none')
  const good = await verify({ bucket: 'photos' })
  t.strictSame([good.code, good.stderr], [0, ''])
  t.match(good.stdout, /looked at 4 objects/)
  t.match(good.stdout, /\n {2}1 open with key version v1 of keyring main\n/)
  t.match(good.stdout, /\n {2}2 open with key version v2 of keyring main\n {2}1 have no customer key\n$/)
  await put('photos', 'of an other key', 'lost', stranger)
  const bad = await verify({ bucket: 'photos', json: true })
  t.equal(bad.code, 1)
  t.match(JSON.parse(bad.stdout), {
    keyrings: [{ name: 'main' }],
    looked: 5,
    plain: 1,
    locked: 1,
    denied: 0,
    wrong: [{ objectKey: 'of an other key', what: 'locked' }],
  })
  t.match(await verify({ bucket: 'photos', prefix: 'new' }), { code: 0, stdout: /looked at 1 objects/ })
  t.match(await verify({ bucket: 'photos', sample: 3 }), { stdout: /looked at 3 objects/ })
  t.match(await verify({ bucket: 'other' }), { code: 0, stdout: /looked at 0 objects/ })
  t.match(await verify({ bucket: 'no-such-bucket' }), { code: 1, stderr: /NoSuchBucket/ })
})

t.test('retire: refused while anything needs the version, in old versions of objects too', async (t) => {
  const { retire, file } = installation(t, [tombstone, ...two])
  const before = readFileSync(file, 'utf8')
  t.match(await retire('v2'), { code: 1, stderr: /key version v2 is the active one.*\nnothing was changed\n$/ })
  t.match(await retire('v9'), { code: 1, stderr: /has no key version v9; it has v1, v2\n/ })
  t.match(await retire('v0'), { code: 1, stderr: /key version v0 is retired already/ })
  await put('versioned', 'doc', 'v1')
  await put('versioned', 'doc', 'v2')
  const refused = await retire('v1')
  t.equal(refused.code, 1)
  t.match(refused.stderr, /2 objects need it:\n/)
  t.match(refused.stderr, 's3://photos/ "old"')
  t.match(refused.stderr, /s3:\/\/versioned\/ "doc" \S+\n/)
  t.match(refused.stderr, /nothing was changed\n$/)
  t.equal(readFileSync(file, 'utf8'), before)

  await put('photos', 'old', 'v2')
  await send('DELETE', pathOf('versioned', 'doc'))
  t.match(await retire('v1'), { code: 1, stderr: /1 objects need it:\n {2}s3:\/\/versioned\/ "doc" / })
  const id = /"doc" (\S+)\n/.exec((await retire('v1')).stderr)![1]!
  await send('DELETE', pathOf('versioned', 'doc'), {}, { versionId: id })

  const dataKey = await ring.forVersion(scopeOf('photos', 'upload'), 'v1')
  if (dataKey === 'unknown') throw new Error('no key')
  await send('POST', pathOf('photos', 'upload'), targetHeaders(dataKey.key), { uploads: '' })
  t.match(await retire('v1'), {
    code: 1,
    stderr: /1 unfinished uploads may have been created with it .*:\n {2}s3:\/\/photos\/ "upload" begun /,
  })
  t.equal(readFileSync(file, 'utf8'), before)
  const done = await retire('v1', { ignoreUploads: true })
  t.match(done, { code: 0, stdout: `check value: ${checkOf(bytesOf('v1'))}\n` })
  t.match(done.stderr, /Keep the backup/)
  t.strictSame(stateOf(file), ['v2 active', 'v0 retired', 'v1 retired'])
  t.notOk(readFileSync(file, 'utf8').includes(bytesOf('v1').toString('base64')), 'the key is gone')
})

t.test('retire: not what a replica that loads the file late would still make active', async (t) => {
  const soon = { ...writtenVersion('v3', 'pending'), activateAt: new Date(Date.now() + 3_600_000).toISOString() }
  const { retire, file } = installation(t, [writtenVersion('v2', 'active'), soon], 'bucket: other')
  const before = readFileSync(file, 'utf8')
  t.match(await retire('v3'), {
    code: 1,
    stderr:
      /key version v3 is pending, .*`keys activate` with the active one, v2, calls that off.*\nnothing was changed\n$/,
  })
  t.equal(readFileSync(file, 'utf8'), before)
})

t.test('retire: an upload that ends while objects are looked at is not overlooked', async (t) => {
  const { retire, file } = installation(t, two, 'bucket: other')
  const dataKey = await ring.forVersion(scopeOf('other', 'upload'), 'v1')
  if (dataKey === 'unknown') throw new Error('no key')
  const headers = targetHeaders(dataKey.key)
  const path = pathOf('other', 'upload')
  const { uploadId } = (await send('POST', path, headers, { uploads: '' }), origin.uploads('other')[0]!)
  const part = await s3(at, 'PUT', path, { headers, query: { partNumber: '1', uploadId }, body: 'part' })
  let lists = 0
  origin.faults.intercept = async ({ target }) => {
    if (/[?&](uploads|versions)\b/.test(target) && ++lists === 2) {
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${String(part.headers['etag'])}</ETag></Part></CompleteMultipartUpload>`
      const done = await s3(at, 'POST', path, { headers, query: { uploadId }, body })
      t.equal(done.status, 200)
    }
    return { type: 'proceed' }
  }
  t.teardown(() => (origin.faults.intercept = () => ({ type: 'proceed' })))
  const before = readFileSync(file, 'utf8')
  t.match(await retire('v1'), { code: 1, stderr: /unfinished uploads may have been created with it/ })
  t.equal(lists, 2)
  t.equal(readFileSync(file, 'utf8'), before)
  await send('DELETE', path)
})

t.test('retire: a rule for all buckets is a guess until somebody says what all is', async (t) => {
  const { retire, file } = installation(t, two)
  const before = readFileSync(file, 'utf8')
  t.match(await retire('v1', { theseAreAll: false }), {
    code: 1,
    stderr:
      /^buckets that rules .*: .*photos.*\na rule is for `\*`.*--bucket NAME.*--these-are-all.*\nnothing was changed\n$/,
  })
  t.equal(readFileSync(file, 'utf8'), before)
  const gone = await retire('v1', { buckets: ['of-another-account'] })
  t.match(
    gone,
    { code: 1, stderr: /buckets that .*of-another-account.*\n(.*\n)*.*NoSuchBucket/ },
    'and it is looked at',
  )
  t.equal(readFileSync(file, 'utf8'), before)
  const named = installation(t, two, 'bucket: other')
  t.match(await named.retire('v1', { theseAreAll: false }), {
    code: 0,
    stderr: /^buckets that rules with this keyring are about: other\n/,
  })
})

t.test('retire: buckets that are on a later page of the list are looked at', async (t) => {
  const many = await startTestOrigin({
    buckets: Array.from({ length: 1003 }, (_, i) => `b-${String(i).padStart(4, '0')}`),
  })
  t.teardown(() => many.close())
  const { retire, file, config } = installation(t, two)
  writeFileSync(config, readFileSync(config, 'utf8').replace(`localhost:${origin.port}`, `localhost:${many.port}`))
  const dataKey = await ring.forVersion(scopeOf('b-1002', 'last'), 'v1')
  if (dataKey === 'unknown') throw new Error('no key')
  const last = { port: many.port, ...ORIGIN_CREDENTIALS }
  const made = await s3(last, 'PUT', pathOf('b-1002', 'last'), { headers: targetHeaders(dataKey.key), body: 'body' })
  t.equal(made.status, 200)
  const before = readFileSync(file, 'utf8')
  t.match(await retire('v1'), { code: 1, stderr: /1 objects need it:\n {2}s3:\/\/b-1002\/ "last"/ })
  t.equal(readFileSync(file, 'utf8'), before)
})

t.test('retire: what may not be looked at counts as needing the version', async (t) => {
  const { retire, file, config } = installation(t, two, 'bucket: photos')
  writeFileSync(config, readFileSync(config, 'utf8').replace(`localhost:${origin.port}`, `localhost:${origin.port}/x`))
  const before = readFileSync(file, 'utf8')
  t.match(await retire('v1'), { code: 1 })
  t.equal(readFileSync(file, 'utf8'), before)
})
