import { createHash } from 'node:crypto'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { HeaderFormat } from '../../src/cli/header-formats.js'
import { keysHeaders, type KeysHeadersArguments } from '../../src/cli/keys-headers.js'
import { bytesOf, checkOf, written, writtenObject, writtenVersion, type Vectors } from '../keyring/material.js'

const CONFIG = `
listeners: [{ http: { port: 0, anonymous: anyone } }]
upstream: { endpoint: 'https://s3.example.com', region: eu-central-1 }
identities: [{ name: anyone, anonymous: true, grants: [{ bucket: '*', permissions: [read] }] }]
keyrings:
  - { name: main, type: derived, file: main.json }
  - { name: legacy, type: fixed, file: legacy.json }
  - { name: found, type: objects, file: found.json }
rules:
  - { bucket: photos, keyring: main }
  - { bucket: photos, prefix: public/, keyring: none }
  - { bucket: replica, keyring: main, bucketIdentity: photos }
  - { bucket: mixed, keyring: main, alsoRead: [legacy], plaintext: allow }
  - { bucket: elsewhere, keyring: found }
`
const { vectors } = JSON.parse(
  readFileSync(new URL('../vectors/keys/derivation-v1.json', import.meta.url), 'utf8'),
) as Vectors
const golden = vectors[0]!
const goldenKey = Buffer.from(golden.masterKey, 'hex')

const FILES = {
  'config.yaml': CONFIG,
  'main.json': JSON.stringify(
    written('derived', {
      versions: [
        writtenVersion('v1', 'readable'),
        {
          ...writtenVersion('v2', 'active', '2026-02-01T00:00:00Z'),
          key: goldenKey.toString('base64'),
          check: checkOf(goldenKey),
        },
      ],
    }),
  ),
  'legacy.json': JSON.stringify(written('fixed', { versions: [writtenVersion('old', 'active')] }, 'legacy')),
  'found.json': JSON.stringify(
    written(
      'objects',
      { objects: [writtenObject('elsewhere', 'a', 'any'), writtenObject('elsewhere', 'a', 'one', 'VERSION1')] },
      'found',
    ),
  ),
}

const folder = t.testdir(FILES)
for (const name of Object.keys(FILES)) chmodSync(join(folder, name), 0o600)

async function run(object: string, more: Partial<KeysHeadersArguments> = {}) {
  let stdout = ''
  let stderr = ''
  const code = await keysHeaders(
    {
      object,
      config: join(folder, 'config.yaml'),
      versionId: undefined,
      keyVersion: undefined,
      format: 'headers',
      ...more,
    },
    {
      stdout: (text) => (stdout += text),
      stderr: (text) => (stderr += text),
      env: {},
      now: () => new Date(0),
      randomBytes: () => {
        throw new Error('not needed')
      },
    },
  )
  return { code, stdout, stderr }
}

const lines = (key: Buffer) => [
  'x-amz-server-side-encryption-customer-algorithm: AES256',
  `x-amz-server-side-encryption-customer-key: ${key.toString('base64')}`,
  `x-amz-server-side-encryption-customer-key-md5: ${createHash('md5').update(key).digest('base64')}`,
]
const dataKey = Buffer.from(golden.dataKey, 'hex')
const object = `s3://${golden.bucketIdentity}/${golden.objectKey}`

t.test('the golden key of the active version first, then the older one', async (t) => {
  const { code, stdout, stderr } = await run(object)
  t.equal(code, 0)
  const blocks = stdout.split('\n\n')
  t.equal(blocks.length, 2)
  t.ok(blocks[0] === lines(dataKey).join('\n'))
  t.match(stderr, /prints data keys in clear/)
  t.match(stderr, /Only one of these key versions fits/)
  t.notMatch(stderr, dataKey.toString('base64'))
})

t.test('one key version alone', async (t) => {
  const { code, stdout, stderr } = await run(object, { keyVersion: 'v2' })
  t.equal(code, 0)
  t.ok(stdout === `${lines(dataKey).join('\n')}\n`)
  t.notMatch(stderr, /Only one/)
  t.strictSame(await run(object, { keyVersion: 'v3' }), {
    code: 1,
    stdout: '',
    stderr: `${object}: its key versions are v2, v1\n`,
  })
})

t.test('a bucket under another identity has the same keys', async (t) => {
  const { stdout } = await run(`s3://replica/${golden.objectKey}`, { keyVersion: 'v2' })
  t.ok(stdout === `${lines(dataKey).join('\n')}\n`)
})

t.test('for curl and for the AWS CLI, with labels', async (t) => {
  const [algorithm, key, md5] = lines(dataKey)
  t.ok(
    (await run(object, { keyVersion: 'v2', format: 'curl' })).stdout ===
      `# keyring main, key version v2, which writes use\n-H "${algorithm!}" \\\n-H "${key!}" \\\n-H "${md5!}"\n`,
  )
  const value = (line: string | undefined) => line?.split(': ')[1] ?? ''
  t.ok(
    (await run(object, { keyVersion: 'v2', format: 'aws' })).stdout ===
      '# keyring main, key version v2, which writes use\n' +
        `--sse-customer-algorithm AES256 --sse-customer-key ${value(key)} --sse-customer-key-md5 ${value(md5)}\n`,
  )
  t.match((await run(object, { format: 'aws' })).stdout, /\n# keyring main, key version v1\n--sse/)
})

t.test('for programs', async (t) => {
  const entries = JSON.parse((await run('s3://mixed/a', { format: 'json' })).stdout) as Record<string, unknown>[]
  t.strictSame(
    entries.map(({ keyring, keyVersion, writes }) => [keyring, keyVersion, writes]),
    [
      ['main', 'v2', true],
      ['main', 'v1', false],
      ['legacy', 'old', false],
    ],
  )
  const expected = Object.fromEntries(lines(bytesOf('old')).map((line) => line.split(': ')))
  t.ok(JSON.stringify(entries[2]!['headers']) === JSON.stringify(expected))
})

t.test('every format warns, and no warning is where the headers are', async (t) => {
  for (const format of ['curl', 'aws', 'json', 'headers'] satisfies HeaderFormat[]) {
    const { code, stdout, stderr } = await run(object, { format })
    t.equal(code, 0)
    t.match(stderr, /in clear/)
    t.notMatch(stdout, /in clear/)
    t.notOk(stderr.includes(dataKey.toString('base64')))
  }
  t.match((await run('s3://mixed/a')).stderr, /also allows objects without a key/)
})

t.test('single objects and their versions', async (t) => {
  const any = lines(bytesOf('any')).join('\n')
  const one = lines(bytesOf('one')).join('\n')
  t.ok((await run('s3://elsewhere/a')).stdout === `${any}\n\n${one}\n`)
  t.ok((await run('s3://elsewhere/a', { versionId: 'VERSION1' })).stdout === `${one}\n`)
  t.ok((await run('s3://elsewhere/a', { versionId: 'VERSION2' })).stdout === `${any}\n`)
  t.strictSame(await run('s3://elsewhere/b'), {
    code: 1,
    stdout: '',
    stderr: 's3://elsewhere/b: no keyring of its rule has a key for it\n',
  })
})

t.test('an object key is taken literally', async (t) => {
  const master = vectors.filter(({ masterKey, bucketIdentity }) => {
    return masterKey === golden.masterKey && bucketIdentity === golden.bucketIdentity
  })
  t.ok(master.length > 20)
  for (const vector of master) {
    const { stdout } = await run(`s3://photos/${vector.objectKey}`, { keyVersion: 'v2' })
    t.ok(stdout === `${lines(Buffer.from(vector.dataKey, 'hex')).join('\n')}\n`, vector.name)
  }
})

t.test('what has no headers is told in one line, and nothing is printed', async (t) => {
  for (const [what, message] of [
    ['s3://photos/public/a', 's3://photos/public/a: its rule says `keyring: none`, so it needs no headers'],
    ['s3://unknown/a', 's3://unknown/a: no rule covers it, so the proxy refuses it'],
    ['s3://photos/', 's3://photos/: is not s3://BUCKET/OBJECTKEY'],
    ['photos/a', 'photos/a: is not s3://BUCKET/OBJECTKEY'],
    ['S3://photos/a', 'S3://photos/a: is not s3://BUCKET/OBJECTKEY'],
    ['s3://no@bucket/a', 's3://no@bucket/a: The specified bucket is not valid.'],
    [`s3://photos/${'k'.repeat(1025)}`, `s3://photos/${'k'.repeat(1025)}: Your key is too long`],
  ] as const) {
    t.strictSame(await run(what), { code: 1, stdout: '', stderr: `${message}\n` })
  }
  t.match(await run(object, { versionId: 'a b' }), { code: 1, stdout: '', stderr: /Invalid version id/ })
})

t.test('every problem of configuration and keyrings, with its place', async (t) => {
  t.match(await run(object, { config: join(folder, 'gone.yaml') }), { code: 1, stdout: '', stderr: /gone\.yaml/ })
  const bad = t.testdir({
    ...FILES,
    'main.json': FILES['main.json'].replace('"v1"', '"v2"'),
    'legacy.json': FILES['legacy.json'].slice(0, 90),
  })
  const { code, stdout, stderr } = await run(object, { config: join(bad, 'config.yaml') })
  t.strictSame([code, stdout], [1, ''])
  t.match(stderr, /main\.json: versions\[1\]\.id is the id of versions\[0\] already\n/)
  t.match(stderr, /legacy\.json: document is not JSON, or was cut off/)
  t.notOk(stderr.includes(bytesOf('old').toString('base64').slice(0, 6)))
})

t.test('a keyring file that others may read is used, and told', async (t) => {
  const open = t.testdir(FILES)
  for (const name of ['main.json', 'found.json']) chmodSync(join(open, name), 0o600)
  chmodSync(join(open, 'legacy.json'), 0o644)
  const { code, stderr } = await run(object, { config: join(open, 'config.yaml') })
  t.equal(code, 0)
  t.match(stderr, /legacy\.json holds keys and is open to its group or to others \(mode 0644\)/)
  t.notMatch(stderr, /main\.json/)
})
