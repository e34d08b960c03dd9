// Keyring files that something cut, edited or shuffled, of every kind: none may bring another key than was meant.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { KeyringConfig } from '../../src/config/types.js'
import { openKeyringFile, type OpenedKeyring } from '../../src/keyring/create.js'
import { checkOf as valueOf, type KeyringContents } from '../../src/keyring/keyring-file.js'
import { checkValue } from '../../src/keyring/check-value.js'
import { successionProblems } from '../../src/keyring/successor.js'
import { fakeKms, KMS, writtenMac, writtenWrapped } from './fake-kms.js'
import { bytesOf, checkOf, clock, hex, scopeOf, written, writtenObject, writtenVersion } from './material.js'

const FIRST = '2025-01-01T00:00:00Z'
const tombstone = { id: 'v0', state: 'retired', created: '2024-01-01T00:00:00Z', check: checkOf(bytesOf('v0')) }
const pending = { ...writtenVersion('v3', 'pending', '2026-02-01T00:00:00Z'), activateAt: '2026-12-01T00:00:00Z' }

const KINDS = [
  {
    what: 'plain',
    type: 'derived',
    list: 'versions',
    document: written('derived', {
      versions: [writtenVersion('v1', 'readable', FIRST), writtenVersion('v2', 'active'), pending, tombstone],
    }),
  },
  {
    what: 'wrapped',
    type: 'fixed',
    list: 'versions',
    document: written('fixed', {
      versions: [writtenWrapped('main', 'v1', 'readable', FIRST), writtenWrapped('main', 'v2', 'active'), tombstone],
    }),
  },
  {
    what: 'kms-mac',
    type: 'kms-mac',
    list: 'versions',
    document: written('kms-mac', {
      versions: [writtenMac('mac-old', 'v1', 'readable', FIRST), writtenMac('alias/mac', 'v2', 'active'), tombstone],
    }),
  },
  {
    what: 'objects',
    type: 'objects',
    list: 'objects',
    document: written('objects', {
      objects: [writtenObject('photos', 'a', 'one'), writtenObject('photos', 'a', 'two', 'VERSION')],
    }),
  },
] as const

type Kind = (typeof KINDS)[number]

const textOf = (document: object) => `${JSON.stringify(document, null, 2)}\n`

async function open({ type }: Kind, text: string) {
  const common = { name: 'main', file: 'k.json' }
  const config: KeyringConfig = type === 'objects' ? { ...common, type } : { ...common, type, kms: KMS }
  const result = await openKeyringFile(config, { type: 'text', text, mode: 0o600 }, clock, fakeKms())
  return result.type === 'opened' ? result.opened : 'refused'
}

/** Whatever a file has for keys, by check value. Of retired ones there is nothing left that could be held to it. */
const keysOf = (contents: KeyringContents): string =>
  (contents.type === 'objects'
    ? contents.objects.map(({ key }) => checkValue(key))
    : contents.versions.map((one) => valueOf(one))
  )
    .sort()
    .join(' ')

/** What is read and written with, each by its id. */
async function dataKeys({ keyring }: OpenedKeyring): Promise<ReadonlyMap<string, string>> {
  const scope = scopeOf('photos', 'a')
  const found = keyring.candidates(scope).map(async (id) => {
    const dataKey = await keyring.forVersion(scope, id)
    return [id, dataKey === 'unknown' ? 'unknown' : hex(dataKey.key)] as const
  })
  return new Map(await Promise.all(found))
}

const good = async (t: Test, kind: Kind) => {
  const opened = await open(kind, textOf(kind.document))
  if (opened === 'refused') throw new Error(`${kind.what} is no keyring`)
  t.ok(keysOf(opened.contents).length > 16)
  return opened
}

for (const kind of KINDS) {
  const text = textOf(kind.document)
  const whole = text.trimEnd().length

  t.test(`${kind.what}: cut off at any length, it does not open`, async (t) => {
    await good(t, kind)
    const opens: number[] = []
    for (let length = 0; length < whole; length++) {
      if ((await open(kind, text.slice(0, length))) !== 'refused') opens.push(length)
    }
    t.strictSame(opens, [])
  })

  t.test(`${kind.what}: no byte can be changed, lost or added so that it has another key`, async (t) => {
    const before = await good(t, kind)
    const keys = keysOf(before.contents)
    const keysById = await dataKeys(before)
    let refused = 0
    const place = fc.nat(whole - 1)
    const byte = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code))
    const edit = fc.oneof(
      fc.tuple(place, byte).map(([at, one]) => text.slice(0, at) + one + text.slice(at + 1)),
      place.map((at) => text.slice(0, at) + text.slice(at + 1)),
      fc.tuple(place, byte).map(([at, one]) => text.slice(0, at) + one + text.slice(at)),
      // A bit that flipped, whatever it makes of the text.
      fc.tuple(place, fc.nat(7)).map(([at, bit]) => {
        const bytes = Buffer.from(text)
        bytes[at]! ^= 1 << bit
        return bytes.toString('utf8')
      }),
      // Two characters in each other's place, within a key for instance.
      place.map((at) => text.slice(0, at) + (text[at + 1] ?? '') + text[at]! + text.slice(at + 2)),
    )
    await fc.assert(
      fc.asyncProperty(edit, async (edited) => {
        const opened = await open(kind, edited)
        if (opened === 'refused') {
          refused += 1
          return true
        }
        // What may be edited is what a key is called, its state and its times. Running proxies refuse the first as well.
        if (keysOf(opened.contents) !== keys) return false
        const after = await dataKeys(opened)
        const isRenamed = [...keysById.keys()].some((id) => !after.has(id))
        if (isRenamed && kind.type !== 'objects' && successionProblems(before.contents, opened.contents).length === 0) {
          return false
        }
        return [...after].every(([id, key]) => (keysById.get(id) ?? key) === key)
      }),
      { numRuns: 1500 },
    )
    t.ok(refused > 750, `${refused} of 1500 were refused`)
  })

  t.test(`${kind.what}: entries in another order, twice, or with each other's parts do not open`, async (t) => {
    const before = await good(t, kind)
    const document = kind.document as unknown as Record<string, readonly Record<string, unknown>[]>
    const entries = document[kind.list]!
    const withEntries = (list: readonly object[]) => textOf({ ...kind.document, [kind.list]: list })
    const alive = entries.filter(({ state }) => state !== 'retired')
    const rest = entries.filter(({ state }) => state === 'retired')
    for (const entry of entries) {
      for (const at of [0, entries.length]) {
        t.equal(await open(kind, withEntries(entries.toSpliced(at, 0, entry))), 'refused', 'twice')
      }
    }
    if (kind.type !== 'objects') {
      t.equal(await open(kind, withEntries([...alive.toReversed(), ...rest])), 'refused', 'another order')
      for (const [i] of alive.entries()) {
        const lost = await open(kind, withEntries([...alive.toSpliced(i, 1), ...rest]))
        t.ok(lost === 'refused' || successionProblems(before.contents, lost.contents).length > 0, 'one that is lost')
      }
    }
    const [one, two] = [alive[0]!, alive[1]!]
    const names = ['key', 'check', 'wrappedKey', 'kmsKeyId'].filter((name) => name in one && one[name] !== two[name])
    for (const name of names) {
      const swapped = [{ ...one, [name]: two[name] }, { ...two, [name]: one[name] }, ...alive.slice(2), ...rest]
      t.equal(await open(kind, withEntries(swapped)), 'refused', `${name} of two entries exchanged`)
    }
    t.ok(names.length > 0)
  })
}
