import t from 'tap'
import type { KeyringConfig } from '../../src/config/types.js'
import { createKeyrings, type KeyringFileText } from '../../src/keyring/create.js'
import { clock, scopeOf, written, writtenObject, writtenVersion } from './material.js'

const FILES: Readonly<Record<string, KeyringFileText>> = {
  '/k/main.json': text(written('derived', { versions: [writtenVersion('v1', 'active')] })),
  '/k/legacy.json': text(written('fixed', { versions: [writtenVersion('v1', 'active')] }, 'legacy'), 0o640),
  '/k/found.json': text(written('objects', { objects: [writtenObject('photos', 'a', 'x')] }, 'found'), 0o604),
  '/k/bad.json': text(written('derived', { versions: [writtenVersion('v1', 'readable'), 1] })),
}
function text(value: unknown, mode = 0o600): KeyringFileText {
  return { type: 'text', text: JSON.stringify(value), mode: 0o100000 | mode }
}
const read = (file: string): KeyringFileText => FILES[file] ?? { type: 'unreadable', reason: 'ENOENT' }
const config = (
  name: string,
  type: Exclude<KeyringConfig['type'], 'kms-mac'>,
  file = `/k/${name}.json`,
): KeyringConfig => (type === 'objects' ? { name, type, file } : { name, type, file, kms: 'none' })

t.test('every kind', async (t) => {
  const result = createKeyrings(
    [config('main', 'derived'), config('legacy', 'fixed'), config('found', 'objects')],
    read,
    clock,
  )
  if (result.type !== 'keyrings') throw new Error('did not load')
  t.strictSame(
    result.opened.map(({ keyring: { name, type } }) => [name, type]),
    [
      ['main', 'derived'],
      ['legacy', 'fixed'],
      ['found', 'objects'],
    ],
  )
  const keys = await Promise.all(result.opened.map(async ({ keyring }) => keyring.forWrite(scopeOf('photos', 'a'))))
  t.equal(new Set(keys.map(({ key }) => key.export().toString('hex'))).size, 3)
})

t.test('files that others may open are named', async (t) => {
  const result = createKeyrings(
    [config('main', 'derived'), config('legacy', 'fixed'), config('found', 'objects')],
    read,
    clock,
  )
  t.match(result, {
    warnings: [
      { path: '/k/legacy.json', message: /mode 0640/ },
      { path: '/k/found.json', message: /mode 0604/ },
    ],
  })
  t.match(createKeyrings([config('main', 'derived')], read, clock), { warnings: [] })
})

t.test('all problems of all files, none loaded', async (t) => {
  const configs = [
    config('main', 'fixed'),
    config('gone', 'derived'),
    config('main', 'derived', '/k/bad.json'),
    config('legacy', 'fixed'),
  ]
  t.strictSame(createKeyrings(configs, read, clock), {
    type: 'problems',
    problems: [
      { path: '/k/main.json: type', message: 'is not "fixed", as the configuration says' },
      { path: '/k/gone.json', message: 'cannot be read: ENOENT' },
      { path: '/k/bad.json: versions[1]', message: 'is not an object' },
    ],
  })
})

t.test('one file under two names does not load twice', async (t) => {
  t.match(createKeyrings([config('main', 'derived'), config('second', 'derived', '/k/main.json')], read, clock), {
    problems: [{ path: '/k/main.json: name', message: 'is not "second", as the configuration calls this keyring' }],
  })
})
