// docs/keys.md is what somebody has in hand who must recover objects without this program: it must be right.
import { spawnSync } from 'node:child_process'
import { createHash, createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkValue } from '../../src/keyring/check-value.js'
import { formatKeyringFile } from '../../src/keyring/keyring-file.js'
import { parseKeyringFile } from '../../src/keyring/parse-keyring-file.js'
import { bytesOf, checkOf, versionOf, written, writtenObject, writtenVersion, type Vectors } from './material.js'

const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const doc = text('../../docs/keys.md')
const { vectors, masterKeyChecks } = JSON.parse(text('../vectors/keys/derivation-v1.json')) as Vectors
const fences = Array.from(
  doc.matchAll(/^```(\w*)\n(.*?)\n```$/gms),
  ([, language, block]) => [language, block!] as const,
)
const blocks = (wanted: string) => fences.flatMap(([language, block]) => (language === wanted ? [block] : []))

const headers = (key: Buffer) =>
  [
    'x-amz-server-side-encryption-customer-algorithm: AES256',
    `x-amz-server-side-encryption-customer-key: ${key.toString('base64')}`,
    `x-amz-server-side-encryption-customer-key-MD5: ${createHash('md5').update(key).digest('base64')}`,
  ].join('\n')

/** Runs Python; a failure shows its stderr, which has no keys in it. */
function python(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync('python3', args, { input, encoding: 'utf8', maxBuffer: 1 << 24 })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`python3: ${stderr}`)
  return stdout
}

const [script, ...others] = blocks('python')

/** Runs the script once for each list of arguments, in one process: arguments of a process cannot hold zero bytes. */
const DRIVER = `
import contextlib, io, json, sys
script, runs = json.load(sys.stdin)
outputs = []
for arguments in runs:
    sys.argv = ['recover.py', *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(script, 'recover.py', 'exec'), {'__name__': '__main__'})
    outputs.append(output.getvalue())
json.dump(outputs, sys.stdout)
`
const recover = (runs: readonly (readonly string[])[]) =>
  JSON.parse(python(['-c', DRIVER], JSON.stringify([script, runs]))) as string[]

t.test('the Python script is one, and short', async (t) => {
  t.equal(others.length, 0)
  t.ok(script!.split('\n').length <= 15)
})

t.test('the Python script gives the golden keys', async (t) => {
  const files = t.testdir(
    Object.fromEntries(
      Object.keys(masterKeyChecks).map((hex) => {
        const version = { ...versionOf('v1', 'active'), key: createSecretKey(Buffer.from(hex, 'hex')) }
        return [hex, formatKeyringFile({ type: 'derived', name: 'main', versions: [version], retired: [] })]
      }),
    ),
  )
  const outputs = recover(vectors.map((one) => [join(files, one.masterKey), one.bucketIdentity, one.objectKey]))
  t.equal(outputs.length, vectors.length)
  vectors.forEach(({ name, dataKey }, i) => {
    t.ok(outputs[i] === `# main v1 active\n${headers(Buffer.from(dataKey, 'hex'))}\n`, name)
  })
})

t.test('the Python script knows every kind of keyring, and refuses a damaged file', async (t) => {
  const objects = [
    writtenObject('photos', 'a', 'one'),
    writtenObject('photos', 'b', 'two'),
    writtenObject('photos', 'a', 'three', 'VERSION'),
  ]
  const damaged = { ...writtenVersion('v1', 'active'), check: checkOf(bytesOf('v2')) }
  const files = t.testdir({
    fixed: JSON.stringify(
      written('fixed', { versions: [writtenVersion('v1', 'readable'), writtenVersion('v2', 'active')] }),
    ),
    objects: JSON.stringify(written('objects', { objects })),
    damaged: JSON.stringify(written('fixed', { versions: [damaged] })),
  })
  const [fixed, single] = recover([
    [join(files, 'fixed'), 'photos', 'a'],
    [join(files, 'objects'), 'photos', 'a'],
  ])
  t.ok(fixed === `# main v1 readable\n${headers(bytesOf('v1'))}\n# main v2 active\n${headers(bytesOf('v2'))}\n`)
  t.ok(single === `# main any version \n${headers(bytesOf('one'))}\n# main VERSION \n${headers(bytesOf('three'))}\n`)
  t.throws(() => recover([[join(files, 'damaged'), 'photos', 'a']]), { message: /the file is damaged/ })
})

t.test('the Python script as a reader runs it', async (t) => {
  const vector = vectors.find(({ objectKey }) => objectKey.includes('\u65e5'))!
  const version = { ...versionOf('v1', 'active'), key: createSecretKey(Buffer.from(vector.masterKey, 'hex')) }
  const folder = t.testdir({
    'recover.py': script!,
    'keyring.json': formatKeyringFile({ type: 'derived', name: 'main', versions: [version], retired: [] }),
  })
  const args = [join(folder, 'recover.py'), join(folder, 'keyring.json'), vector.bucketIdentity, vector.objectKey]
  t.ok(python(args) === `# main v1 active\n${headers(Buffer.from(vector.dataKey, 'hex'))}\n`)
})

t.test('the Python script passes over tombstones', async (t) => {
  const { name, masterKey, bucketIdentity, objectKey, dataKey } = vectors[0]!
  const version = { ...versionOf('v2', 'active'), key: createSecretKey(Buffer.from(masterKey, 'hex')) }
  const retired = [{ id: 'v1', created: '2024-01-01T00:00:00Z', check: checkOf(bytesOf('gone')) }]
  const folder = t.testdir({
    'recover.py': script!,
    'keyring.json': formatKeyringFile({ type: 'derived', name: 'main', versions: [version], retired }),
  })
  const printed = python([join(folder, 'recover.py'), join(folder, 'keyring.json'), bucketIdentity, objectKey])
  t.ok(printed === `# main v2 active\n${headers(Buffer.from(dataKey, 'hex'))}\n`, name)
})

t.test('the command for a key that one has already', async (t) => {
  const block = blocks('sh').find((one) => one.startsWith('python3 -c'))!
  const [, code] = /^python3 -c '(.*)' raw\.key$/s.exec(block) ?? []
  t.ok(code !== undefined && !code.includes("'"))
  const folder = t.testdir({ 'raw.key': bytesOf('own') })
  t.ok(
    python(['-c', code!, join(folder, 'raw.key')]) ===
      `32 ${bytesOf('own').toString('base64')} ${checkOf(bytesOf('own'))}\n`,
  )
})

t.test('the files that it shows load', async (t) => {
  const examples = blocks('json')
  t.equal(examples.length, 2)
  t.match(parseKeyringFile(examples[0]!, { name: 'main', type: 'derived' }), { type: 'keyring' })
  t.match(parseKeyringFile(examples[1]!, { name: 'found', type: 'objects' }), { type: 'keyring' })
})

t.test('its golden vectors are the frozen ones', async (t) => {
  const letters = new Map(Object.keys(masterKeyChecks).map((key, i) => [key, 'AB'[i]!]))
  const shown = (value: string) =>
    /^(.)\1{60,}$/su.test(value)
      ? `${JSON.stringify(Array.from(value)[0]!)} * ${Array.from(value).length}`
      : JSON.stringify(value)
  const ascii = (value: string) =>
    shown(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const expected = [
    ...Array.from(letters, ([key, letter]) => `${letter} = ${key}  check ${checkValue(createSecretKey(key, 'hex'))}`),
    '',
    ...vectors.flatMap(({ masterKey, bucketIdentity, objectKey, dataKey }) => [
      `${letters.get(masterKey)!}  ${ascii(bucketIdentity)}  ${ascii(objectKey)}`,
      `   ${dataKey}`,
    ]),
  ]
  t.ok(blocks('').includes(expected.join('\n')))
})
