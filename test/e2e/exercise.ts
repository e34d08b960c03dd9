import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempts, type Recorder } from './attempts.js'
import { ODD_KEYS, type Access, type Client, type Limits, type Session, type Step } from './clients/client.js'

export interface Exercise {
  readonly client: Client
  readonly access: Access
  /** What must fail: the client's limits and the upstream's. */
  readonly limits: Limits
  /** `short` leaves out most object keys, copies and the sync. */
  readonly extent: 'whole' | 'short'
  /** Opens a presigned URL without the client's help. */
  readonly fetch: (url: string) => Promise<Buffer>
  /** What identifies each object's present content, seen past the proxy. */
  readonly snapshot: () => Promise<ReadonlyMap<string, string>>
  /** Called when everything is written and before anything is deleted. */
  readonly inspect: (expected: ReadonlyMap<string, string>) => Promise<void>
  /** What was asked to be written since the last call. */
  readonly writes: () => readonly string[]
  readonly record: Recorder
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const LARGE = 20 * 1024 * 1024 + 1

/** Has a client do everything of the table, step by step; a step that fails does not stop the others. */
export async function exerciseClient(exercise: Exercise): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-client-'))
  const own = join(folder, 'client')
  mkdirSync(own)
  const session = await exercise.client.open(exercise.access, own)
  try {
    await steps(exercise, session, folder)
  } finally {
    await session.close?.()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function steps(exercise: Exercise, session: Session, folder: string): Promise<void> {
  const { extent, limits, writes, record } = exercise
  const attempt = attempts<Step>({ mustFail: limits, writes, record })
  const written = new Map<string, string>()
  const file = (name: string, bytes: Buffer): string => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return path
  }
  const expectSame = (what: string, found: Buffer, wanted: Buffer): void => {
    if (!found.equals(wanted))
      throw new Error(`${what}: ${found.length} bytes that differ from ${wanted.length} expected`)
  }
  const readBack = async (objectKey: string, wanted: Buffer): Promise<void> => {
    const path = join(folder, 'got')
    rmSync(path, { force: true })
    await session.get(objectKey, path)
    expectSame(objectKey, readFileSync(path), wanted)
  }
  const store = async (objectKey: string, bytes: Buffer): Promise<void> => {
    await session.put(file('put', bytes), objectKey)
    await readBack(objectKey, bytes)
    // a client that changes the name does so both times
    if (!(await exercise.snapshot()).has(objectKey)) throw new Error(`${objectKey} is stored under another name`)
    written.set(objectKey, sha256(bytes))
  }

  const small = Buffer.from(`small, plain and known: ${randomBytes(12).toString('hex')}\n`)
  const large = randomBytes(LARGE)
  await attempt('empty', () => store('plain/empty', Buffer.alloc(0)))
  await attempt('small', () => store('plain/small.txt', small))
  await attempt('large', () => store('plain/large.bin', large))
  for (const { name, objectKey } of extent === 'whole' ? ODD_KEYS : ODD_KEYS.slice(2, 6)) {
    await attempt(`key: ${name}`, () => store(objectKey, Buffer.from(`object ${objectKey}`)))
  }
  await attempt('list', async () => {
    const { lists = (objectKey: string) => objectKey } = exercise.client
    const listed = new Set(await session.list())
    const lost = [...written.keys()].filter((objectKey) => !listed.has(lists(objectKey)))
    if (lost.length > 0) throw new Error(`not listed: ${JSON.stringify(lost)}; listed: ${JSON.stringify([...listed])}`)
  })
  const { range, presign, copy, move, sync } = session
  await attempt(
    'range',
    range &&
      (async () => {
        const first = large.length - 700_001
        expectSame(
          'range',
          await range('plain/large.bin', first, first + 600_000),
          large.subarray(first, first + 600_001),
        )
      }),
  )
  await attempt(
    'presigned',
    presign &&
      (async () => {
        expectSame('presigned', await exercise.fetch(await presign('plain/small.txt')), small)
      }),
  )
  if (extent === 'whole') {
    const duplicate = async (act: NonNullable<typeof copy>, from: string, to: string, bytes: Buffer): Promise<void> => {
      await act(from, to)
      await readBack(to, bytes)
      written.set(to, sha256(bytes))
    }
    await attempt('copy', copy && (() => duplicate(copy, 'plain/small.txt', 'copies/a b+c', small)))
    await attempt(
      'copy of a large object',
      copy && (() => duplicate(copy, 'plain/large.bin', 'copies/large.bin', large)),
    )
    await attempt(
      'rename',
      move &&
        (async () => {
          await store('renames/from', small)
          await duplicate(move, 'renames/from', 'renames/to', small)
          written.delete('renames/from')
        }),
    )
    await attempt('second sync', sync && (() => syncTwice(exercise, sync, folder, written)))
  }
  await exercise.inspect(written)
  await attempt('delete', async () => {
    const objectKeys = [...written.keys()]
    for (const objectKey of objectKeys.slice(0, 4)) await session.remove(objectKey)
    const left = await exercise.snapshot()
    const kept = objectKeys.slice(0, 4).filter((objectKey) => left.has(objectKey))
    if (kept.length > 0) throw new Error(`still there: ${JSON.stringify(kept)}`)
  })
}

/** The second run must find every object as it should be: nothing at the upstream is written again, or deleted. */
async function syncTwice(
  exercise: Exercise,
  sync: NonNullable<Session['sync']>,
  folder: string,
  written: Map<string, string>,
): Promise<void> {
  const source = join(folder, 'source')
  mkdirSync(join(source, 'deeper'), { recursive: true })
  const files = { 'one.txt': 'one', 'with space.txt': 'two', 'deeper/ž.txt': 'three', empty: '', 'large.bin': '' }
  const hashes = new Map<string, string>()
  const aMinuteAgo = Date.now() / 1000 - 60
  for (const [name, text] of Object.entries(files)) {
    const bytes = name === 'large.bin' ? randomBytes(9 * 1024 * 1024) : Buffer.from(text)
    writeFileSync(join(source, name), bytes)
    // S3's times are whole seconds: a file made in the second of its upload would look newer than its object.
    utimesSync(join(source, name), aMinuteAgo, aMinuteAgo)
    hashes.set(`synced/${name}`, sha256(bytes))
  }
  const snapshot = async () => [...(await exercise.snapshot())].filter(([objectKey]) => objectKey.startsWith('synced/'))
  await sync(source, 'synced')
  const before = await snapshot()
  const names = before.map(([objectKey]) => objectKey.replace('synced/', '')).sort()
  if (names.join() !== Object.keys(files).sort().join()) throw new Error(`the first sync wrote ${names.join()}`)
  for (const [objectKey, hash] of hashes) written.set(objectKey, hash)
  exercise.writes()
  await sync(source, 'synced')
  const asked = exercise.writes()
  if (asked.length > 0) throw new Error(`written again: ${asked.join()}`)
  const again = (await snapshot()).filter(([objectKey, state]) => new Map(before).get(objectKey) !== state)
  if (again.length > 0) throw new Error(`transferred again: ${again.map(([objectKey]) => objectKey).join()}`)
}
