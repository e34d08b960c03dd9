import fc from 'fast-check'
import t from 'tap'
import {
  checkOf,
  formatKeyringFile,
  isName,
  type KeyringContents,
  type VersionedContents,
} from '../../src/keyring/keyring-file.js'
import { checkValue } from '../../src/keyring/check-value.js'
import { parseKeyringFile } from '../../src/keyring/parse-keyring-file.js'
import { withNewVersion } from '../../src/keyring/succession.js'
import { parseBucket, parseObjectKey, parseVersionId } from '../../src/s3/names.js'
import {
  bytesOf,
  checkOf as check,
  keyOf,
  pendingVersion,
  versionOf,
  written,
  writtenObject,
  writtenVersion,
} from './material.js'

t.test('the text is the documented format', async (t) => {
  const contents: KeyringContents = {
    type: 'fixed',
    name: 'main',
    versions: [versionOf('v1', 'readable'), versionOf('v2', 'active')],
    retired: [],
  }
  const text = formatKeyringFile(contents)
  t.strictSame(
    JSON.parse(text),
    written('fixed', { versions: [writtenVersion('v1', 'readable'), writtenVersion('v2', 'active')] }),
  )
  t.match(text, /^\{\n {2}"format": "ssec-proxy-keyring\/1",\n {2}"name": "main",\n {2}"type": "fixed",\n/)
  t.match(text, /\}\n$/)
})

t.test('single objects too', async (t) => {
  const contents: KeyringContents = {
    type: 'objects',
    name: 'main',
    objects: [
      { bucket: parseBucket('photos'), objectKey: parseObjectKey('a\0b'), version: { type: 'any' }, key: keyOf('one') },
      {
        bucket: parseBucket('photos'),
        objectKey: parseObjectKey('é'),
        version: { type: 'id', versionId: parseVersionId('null') },
        key: keyOf('two'),
      },
    ],
  }
  const text = formatKeyringFile(contents)
  const objects = [writtenObject('photos', 'a\0b', 'one'), writtenObject('photos', 'é', 'two', 'null')]
  t.strictSame(JSON.parse(text), written('objects', { objects }))
  const again = parseKeyringFile(text, contents)
  t.ok(again.type === 'keyring' && formatKeyringFile(again.contents) === text)
})

t.test('however often a keyring is extended: one is active, the newest, and no earlier key is lost', async () => {
  const labels = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,6}$/).filter(isName), {
    minLength: 1,
    maxLength: 6,
  })
  const property = fc.property(labels, ([first, ...others]) => {
    let contents: VersionedContents = {
      type: 'derived',
      name: 'main',
      versions: [versionOf(first!, 'active')],
      retired: [],
    }
    for (const id of others) {
      const version = { type: 'plain', id, created: '2025-01-01T00:00:00Z', key: keyOf(id) } as const
      const grown = withNewVersion(contents, version, { type: 'now' })
      const result = parseKeyringFile(formatKeyringFile(grown), grown)
      if (result.type !== 'keyring' || result.contents.type !== 'derived') return false
      contents = result.contents
    }
    const { versions } = contents
    return (
      versions.filter(({ state }) => state === 'active').length === 1 &&
      versions.at(-1)?.state === 'active' &&
      [first!, ...others].every((id, i) => versions[i]?.id === id && checkOf(versions[i]) === checkValue(keyOf(id)))
    )
  })
  fc.assert(property)
})

t.test('a pending version and tombstones are written and read again', async (t) => {
  const contents: KeyringContents = {
    type: 'derived',
    name: 'main',
    versions: [versionOf('v2', 'active'), pendingVersion('v3', '2026-11-23T20:00:00.000Z')],
    retired: [{ id: 'v1', created: '2024-01-01T00:00:00Z', check: check(bytesOf('v1')) }],
  }
  const text = formatKeyringFile(contents)
  t.strictSame(
    JSON.parse(text),
    written('derived', {
      versions: [
        writtenVersion('v2', 'active'),
        { ...writtenVersion('v3', 'pending'), activateAt: '2026-11-23T20:00:00.000Z' },
        { id: 'v1', state: 'retired', created: '2024-01-01T00:00:00Z', check: check(bytesOf('v1')) },
      ],
    }),
  )
  const again = parseKeyringFile(text, contents)
  t.ok(again.type === 'keyring' && formatKeyringFile(again.contents) === text)
})
