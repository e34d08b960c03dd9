import fc from 'fast-check'
import t from 'tap'
import { parseKeyringFile, type ExpectedKeyring } from '../../src/keyring/parse-keyring-file.js'
import { bytesOf, checkOf, hex, written, writtenObject, writtenVersion } from './material.js'

const DERIVED: ExpectedKeyring = { name: 'main', type: 'derived' }
const OBJECTS: ExpectedKeyring = { name: 'main', type: 'objects' }

const active = writtenVersion('v2', 'active', '2026-06-01T12:00:00.500Z')
const older = writtenVersion('v1', 'readable')
const good = written('derived', { versions: [older, active] })

const problems = (value: unknown, expected: ExpectedKeyring = DERIVED) => {
  const result = parseKeyringFile(typeof value === 'string' ? value : JSON.stringify(value), expected)
  return result.type === 'problems' ? result.problems.map(({ path, message }) => `${path} ${message}`) : []
}
const withVersion = (change: Readonly<Record<string, unknown>>) =>
  written('derived', { versions: [{ ...active, ...change }] })

t.test('a good file', async (t) => {
  const result = parseKeyringFile(JSON.stringify(good), DERIVED)
  if (result.type !== 'keyring' || result.contents.type !== 'derived') throw new Error('did not load')
  t.equal(result.contents.name, 'main')
  t.strictSame(
    result.contents.versions.map(({ id, state, created }) => [id, state, created]),
    [
      ['v1', 'readable', '2026-01-01T00:00:00Z'],
      ['v2', 'active', '2026-06-01T12:00:00.500Z'],
    ],
  )
  const [first] = result.contents.versions
  t.ok(first?.type === 'plain' && hex(first.key) === bytesOf('v1').toString('hex'))
  t.equal(parseKeyringFile(JSON.stringify(good), 'any').type, 'keyring')
})

t.test('a good file of single objects', async (t) => {
  const objects = [
    writtenObject('photos', 'a//b', 'one'),
    writtenObject('photos', 'a//b', 'two', 'v/1.=='),
    writtenObject('Old_Photos', 'ключ', 'one'),
  ]
  const result = parseKeyringFile(JSON.stringify(written('objects', { objects })), OBJECTS)
  if (result.type !== 'keyring' || result.contents.type !== 'objects') throw new Error('did not load')
  t.strictSame(
    result.contents.objects.map(({ bucket, objectKey, version }) => [bucket, objectKey, version]),
    [
      ['photos', 'a//b', { type: 'any' }],
      ['photos', 'a//b', { type: 'id', versionId: 'v/1.==' }],
      ['Old_Photos', 'ключ', { type: 'any' }],
    ],
  )
})

const withSecond = (change: Readonly<Record<string, unknown>>) => ({
  ...good,
  versions: [active, { ...older, ...change }],
})
const pending = (id: string) => ({
  ...writtenVersion(id, 'pending', '2026-07-01T00:00:00Z'),
  activateAt: '2026-11-23T20:00:00Z',
})
const retired = { id: 'v0', state: 'retired', created: '2024-01-01T00:00:00Z', check: checkOf(bytesOf('v0')) }

t.test('a file that was moved to another name or type does not load', async (t) => {
  t.strictSame(problems(good, { name: 'other', type: 'derived' }), [
    'name is not "other", as the configuration calls this keyring',
  ])
  t.strictSame(problems(good, { name: 'main', type: 'fixed' }), ['type is not "fixed", as the configuration says'])
})

t.test('one fault, one problem, with its place', async (t) => {
  const id = (text: string) => `versions[0].id ${text}`
  for (const [value, problem] of [
    ['', 'document is empty'],
    ['[]', 'document is not an object'],
    ['null', 'document is not an object'],
    [{ ...good, format: 'ssec-proxy-keyring/2' }, 'format is not "ssec-proxy-keyring/1"'],
    [{ ...good, format: undefined }, 'format is missing'],
    [{ ...good, name: undefined }, 'name is missing'],
    [{ ...good, name: 7 }, 'name is not a string'],
    [{ ...good, type: 'kms' }, 'type is neither "derived" nor "fixed" nor "kms-mac" nor "objects"'],
    [{ ...good, comment: 'x' }, 'comment is not a field of keyring files'],
    [{ ...good, objects: [] }, 'objects is not a field of keyring files'],
    [{ ...good, versions: undefined }, 'versions is missing'],
    [{ ...good, versions: [] }, 'versions is empty'],
    [{ ...good, versions: { v1: active } }, 'versions is not a list'],
    [{ ...good, versions: [active, 'v1'] }, 'versions[1] is not an object'],
    [{ ...good, versions: [older] }, 'versions has no active key version'],
    [
      { ...good, versions: [{ ...older, state: 'active' }, active] },
      'versions has 2 active key versions instead of one: versions[0], versions[1]',
    ],
    [{ ...good, versions: [{ ...older, id: 'v2' }, active] }, 'versions[1].id is the id of versions[0] already'],
    [
      { ...good, versions: [{ ...older, key: active.key, check: active.check }, active] },
      'versions[1].key is the key of versions[0] already',
    ],
    [
      { ...good, versions: [active, older] },
      'versions[1].created is before that of versions[0]: key versions stand in the order in which they were made',
    ],
    [withVersion({ id: undefined }), id('is missing')],
    ...['', 'v 1', 'v/1', '.v', 'none', 'plain', 'v'.repeat(65)].map(
      (text) =>
        [
          withVersion({ id: text }),
          id('is not 1 to 64 of letters, digits, ".", "_" and "-", or it is a reserved word'),
        ] as const,
    ),
    [
      withVersion({ state: 'gone' }),
      'versions[0].state is neither "active" nor "readable" nor "pending" nor "retired"',
    ],
    ...['', 'today', '2026-01-01', '2026-02-30T00:00:00Z', '2026-01-01T24:00:01Z', '2026-01-01T00:00:00+01:00'].map(
      (text) =>
        [withVersion({ created: text }), 'versions[0].created is not a time like 2026-11-23T20:00:00Z'] as const,
    ),
    [withVersion({ activateAt: '2026-11-23T20:00:00Z' }), 'versions[0].activateAt is not a field of keyring files'],
    [withSecond({ state: 'pending' }), 'versions[1].activateAt is missing'],
    [
      withSecond({ state: 'pending', activateAt: '2026-11-23 20:00' }),
      'versions[1].activateAt is not a time like 2026-11-23T20:00:00Z',
    ],
    [
      {
        ...good,
        versions: [active, pending('v3'), pending('v4')],
      },
      'versions has 2 pending key versions instead of one: versions[1], versions[2]',
    ],
    [{ ...good, versions: [pending('v3')] }, 'versions has no active key version'],
    [{ ...good, versions: [retired] }, 'versions has no active key version'],
    [{ ...good, versions: [active, { ...retired, id: 'v2' }] }, 'versions[1].id is the id of versions[0] already'],
    [
      { ...good, versions: [active, { ...retired, check: active.check }] },
      'versions[1].check is the check of versions[0] already',
    ],
    [{ ...good, versions: [active, { ...retired, check: undefined }] }, 'versions[1].check is missing'],
    [
      { ...good, versions: [active, { ...retired, key: older.key }] },
      'versions[1].key is not a field of keyring files',
    ],
    [withVersion({ key: undefined }), 'versions[0].key is missing'],
    [withVersion({ key: null }), 'versions[0].key is not a string'],
    [withVersion({ key: '' }), 'versions[0].key is empty'],
    [withVersion({ key: active.key.slice(0, -1) }), 'versions[0].key is not base64 as RFC 4648, section 4, has it'],
    [withVersion({ key: active.key.slice(0, 40) }), 'versions[0].key is 30 bytes long instead of 32'],
    [
      withVersion({ key: Buffer.alloc(32).toString('base64') }),
      'versions[0].key is one byte repeated, which is no key',
    ],
    [withVersion({ check: undefined }), 'versions[0].check is missing'],
    [withVersion({ check: active.check.toUpperCase() }), 'versions[0].check is not 16 hex digits'],
    [
      withVersion({ check: older.check }),
      'versions[0].check does not belong to the key beside it: one of the two was changed or damaged',
    ],
    [withVersion({ note: 'x' }), 'versions[0].note is not a field of keyring files'],
    [withVersion({ [active.key]: 'x' }), 'versions[0].(name not shown) is not a field of keyring files'],
  ] as const) {
    t.strictSame(problems(value), [problem], problem)
  }
})

t.test('faults of single objects', async (t) => {
  const entry = writtenObject('photos', 'a', 'one')
  const changed = (change: Readonly<Record<string, unknown>>) =>
    written('objects', { objects: [{ ...entry, ...change }] })
  for (const [value, problem] of [
    [written('objects', { objects: [] }), 'objects is empty'],
    [written('objects', { versions: [active] }), 'versions is not a field of keyring files|objects is missing'],
    [changed({ bucket: 's3://photos' }), 'objects[0].bucket is not the name of a bucket'],
    [changed({ bucket: undefined }), 'objects[0].bucket is missing'],
    [changed({ objectKey: '' }), 'objects[0].objectKey is not an object key'],
    [changed({ objectKey: 'k'.repeat(1025) }), 'objects[0].objectKey is not an object key'],
    [changed({ objectKey: 'a\ud800' }), 'objects[0].objectKey is not an object key'],
    [changed({ versionId: '' }), 'objects[0].versionId is not a version id'],
    [changed({ versionId: null }), 'objects[0].versionId is not a string'],
    [
      changed({ check: older.check }),
      'objects[0].check does not belong to the key beside it: one of the two was changed or damaged',
    ],
    [changed({ id: 'x' }), 'objects[0].id is not a field of keyring files'],
    [
      written('objects', { objects: [entry, writtenObject('photos', 'a', 'two')] }),
      'objects[1].objectKey is the objectKey of objects[0] already',
    ],
    [
      written('objects', {
        objects: [writtenObject('photos', 'a', 'x', 'null'), writtenObject('photos', 'a', 'y', 'null')],
      }),
      'objects[1].objectKey is the objectKey of objects[0] already',
    ],
  ] as const) {
    t.strictSame(problems(value, OBJECTS).join('|'), problem, problem)
  }
})

t.test('all problems at once', async (t) => {
  const text = JSON.stringify({
    ...good,
    name: 'other',
    extra: 1,
    versions: [{ ...active, id: '' }, { ...older, key: 'short', check: 'x' }, 7],
  }).replace('"type"', '"name":"main","type"')
  t.strictSame(problems(text, DERIVED), [
    'name comes twice in its object',
    'extra is not a field of keyring files',
    'versions[0].id is not 1 to 64 of letters, digits, ".", "_" and "-", or it is a reserved word',
    'versions[1].check is not 16 hex digits',
    'versions[1].key is not base64 as RFC 4648, section 4, has it',
    'versions[2] is not an object',
  ])
})

t.test('a file that was cut off anywhere does not load', async (t) => {
  const text = `${JSON.stringify(good, null, 2)}\n`
  for (let length = 0; length < text.trimEnd().length; length++) {
    if (problems(text.slice(0, length)).length === 0) t.fail(`loaded with ${length} of ${text.length} characters`)
  }
  t.strictSame(problems(text), [])
})

t.test('a key of which one bit is flipped does not load', async (t) => {
  const flipped = Array.from({ length: 256 }, (_, bit) => {
    const bytes = bytesOf('v2')
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    return withVersion({ key: bytes.toString('base64') })
  })
  t.ok(flipped.every((value) => problems(value).length === 1))
})

t.test(
  'whatever is done to a file: it loads with its own keys or not at all, and no problem quotes a key',
  async (t) => {
    const text = JSON.stringify(good, null, 1)
    const secrets = ['v1', 'v2'].flatMap((id) => [bytesOf(id).toString('base64'), bytesOf(id).toString('hex')])
    const pieces = secrets.flatMap((secret) =>
      Array.from({ length: secret.length - 7 }, (_, i) => secret.slice(i, i + 8)),
    )
    const edit = fc.record({
      at: fc.nat(text.length),
      drop: fc.nat(30),
      put: fc.oneof(
        fc.string({ maxLength: 3 }),
        fc.constantFrom('"', '{', '}', ',', '"key":', '\\', active.key, '"x":1,'),
      ),
    })
    let refused = 0
    const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const changed = edits.reduce((now, { at, drop, put }) => now.slice(0, at) + put + now.slice(at + drop), text)
      const result = parseKeyringFile(changed, DERIVED)
      if (result.type === 'problems') {
        refused++
        const said = JSON.stringify(result)
        return result.problems.length > 0 && !pieces.some((piece) => said.includes(piece))
      }
      if (result.contents.type !== 'derived') return false
      return result.contents.versions.every(
        (version) => version.type === 'plain' && [older.check, active.check].includes(checkOf(version.key.export())),
      )
    })
    fc.assert(property, { numRuns: 1500 })
    t.ok(refused > 500)
  },
)
