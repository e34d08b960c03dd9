import fc from 'fast-check'
import t from 'tap'
import {
  checkOf as valueOf,
  type KeyringContents,
  type PlainVersion,
  type RetiredVersion,
} from '../../src/keyring/keyring-file.js'
import { withNewVersion } from '../../src/keyring/succession.js'
import { successionProblems } from '../../src/keyring/successor.js'
import { parseBucket, parseObjectKey } from '../../src/s3/names.js'
import { bytesOf, checkOf, keyOf, pendingVersion, versionOf } from './material.js'

const ring = (versions: readonly PlainVersion[], retired: readonly RetiredVersion[] = []) =>
  ({ type: 'derived', name: 'main', versions, retired }) as const
const tombstone = (id: string): RetiredVersion => ({
  id,
  created: '2026-01-01T00:00:00Z',
  check: checkOf(bytesOf(id)),
})
const said = (before: KeyringContents, after: KeyringContents) =>
  successionProblems(before, after).map(({ path, message }) => `${path} ${message}`)

const inUse = ring([versionOf('v1', 'readable'), versionOf('v2', 'active')])

t.test('what may follow', async (t) => {
  for (const [what, next] of [
    ['the same', inUse],
    ['one more', withNewVersion(inUse, { ...versionOf('v3', 'readable') }, { type: 'now' })],
    ['one that is pending', ring([...inUse.versions, pendingVersion('v3', '2026-11-23T20:00:00Z')])],
    ['another that is active', ring([versionOf('v1', 'active'), versionOf('v2', 'readable')])],
    ['another order', ring(inUse.versions.toReversed())],
    ['a tombstone', ring([versionOf('v2', 'active')], [tombstone('v1')])],
  ] as const) {
    t.strictSame(said(inUse, next), [], what)
  }
  const retired = ring([versionOf('v2', 'active')], [tombstone('v1')])
  t.strictSame(said(retired, inUse), [], 'a retired version that is put back from its backup')
})

t.test('what may not', async (t) => {
  const lost = /^key version v1 is in use and not in the file any more \(`keys retire` /
  const exchanged = ring([
    { ...versionOf('v1', 'readable'), key: keyOf('v2') },
    { ...versionOf('v2', 'active'), key: keyOf('v1') },
  ])
  for (const [what, before, next, problems] of [
    ['one less', inUse, ring([versionOf('v2', 'active')]), [lost]],
    ['a renamed one', inUse, ring([{ ...versionOf('v1', 'readable'), id: 'v9' }, versionOf('v2', 'active')]), [lost]],
    ['two keys exchanged', inUse, exchanged, [/^key version v1 is another key/, /^key version v2 is another key/]],
    [
      'the tombstone of another key',
      inUse,
      ring([versionOf('v2', 'active')], [{ ...tombstone('v1'), check: checkOf(bytesOf('other')) }]),
      [/^key version v1 is another key in the file: check value [0-9a-f]{16} instead of [0-9a-f]{16}$/],
    ],
    [
      'a tombstone that is gone',
      ring([versionOf('v2', 'active')], [tombstone('v1')]),
      ring([versionOf('v2', 'active')]),
      [lost],
    ],
    [
      'a retired id with a new key',
      ring([versionOf('v2', 'active')], [tombstone('v1')]),
      ring([versionOf('v2', 'active'), { ...versionOf('v1', 'readable'), key: keyOf('new') }]),
      [/^key version v1 is another key/],
    ],
    ['another name', inUse, { ...inUse, name: 'other' }, [/^name or type is not that of the keyring in use/]],
    ['another type', inUse, { ...inUse, type: 'fixed' }, [/^name or type is not/]],
  ] as const) {
    const found = said(before, next)
    t.equal(found.length, problems.length, what)
    problems.forEach((problem, i) => t.match(found[i], problem, what))
  }
})

t.test('single objects: more may come, none may go or change', async (t) => {
  const entry = (objectKey: string, label: string) =>
    ({
      bucket: parseBucket('photos'),
      objectKey: parseObjectKey(objectKey),
      version: { type: 'any' },
      key: keyOf(label),
    }) as const
  const objects = (...entries: readonly ReturnType<typeof entry>[]): KeyringContents => ({
    type: 'objects',
    name: 'found',
    objects: entries,
  })
  const before = objects(entry('a', 'one'))
  t.strictSame(said(before, objects(entry('b', 'two'), entry('a', 'one'))), [])
  t.match(said(before, objects(entry('b', 'two'))), [/^the key of \["photos","a","any version"\] is in use and not/])
  t.match(said(before, objects(entry('a', 'two'))), [/is another key in the file/])
})

t.test('whatever follows has every key that was there, or its tombstone', async () => {
  const version = fc.record({ id: fc.constantFrom('a', 'b', 'c'), label: fc.constantFrom('x', 'y', 'z') })
  const versions = fc.uniqueArray(version, { minLength: 1, selector: ({ id }) => id })
  const contents = fc.tuple(versions, fc.nat(7)).map(([list, dead]) => {
    const alive = list.filter((_, i) => (dead & (1 << i)) === 0)
    const keys = alive.map(({ id, label }) => ({ ...versionOf(id, 'readable'), key: keyOf(label) }))
    const gone = list.filter((one) => !alive.includes(one))
    return ring(
      keys,
      gone.map(({ id, label }) => ({ ...tombstone(id), check: checkOf(bytesOf(label)) })),
    )
  })
  const namesOf = ({ versions, retired }: ReturnType<typeof ring>) => [
    ...versions.map((version) => `${version.id} ${valueOf(version)}`),
    ...retired.map(({ id, check }) => `${id} ${check}`),
  ]
  fc.assert(
    fc.property(contents, contents, (before, after) => {
      const kept = namesOf(before).every((name) => namesOf(after).includes(name))
      return kept === (successionProblems(before, after).length === 0)
    }),
  )
})
