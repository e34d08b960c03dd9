import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempts, type Recorder } from '../attempts.js'
import type { Way } from '../compared.js'
import type { BackupStep, BackupTool } from './backup-tool.js'

const FILES = {
  'one.txt': Buffer.from('one'),
  'with space.txt': Buffer.from('two'),
  'deeper/žluť.txt': Buffer.from('three'),
  empty: Buffer.alloc(0),
} as const

/** Two backups, the second of a folder that hardly changed, and everything that they are for. */
export async function exerciseBackups(options: Way & { readonly tool: BackupTool }): Promise<void> {
  const { tool, access, writes, record, snapshot, inspect } = options
  const folder = mkdtempSync(join(tmpdir(), 'ssec-backup-'))
  const inside = (name: string): string => {
    mkdirSync(join(folder, name))
    return join(folder, name)
  }
  try {
    const session = await tool.open(access, inside('tool'))
    const attempt = attempts<BackupStep>({ mustFail: tool.limits, writes, record: neverTwice(record) })
    const source = inside('source')
    const files = new Map<string, Buffer>([...Object.entries(FILES), ['large.bin', randomBytes(20 * 1024 * 1024 + 1)]])
    mkdirSync(join(source, 'deeper'))
    for (const [name, bytes] of files) writeFileSync(join(source, name), bytes)

    await attempt('backup', async () => {
      await session.backup(source)
      if ((await snapshot()).size === 0) throw new Error('nothing was stored')
    })
    const first = await snapshot()
    files.set('new.txt', Buffer.from('added'))
    writeFileSync(join(source, 'new.txt'), files.get('new.txt')!)
    await attempt('second backup', async () => {
      await session.backup(source)
      const now = await snapshot()
      const again = [...first].filter(([objectKey, state]) => now.has(objectKey) && now.get(objectKey) !== state)
      if (again.length > 0) throw new Error(`stored again: ${again.map(([objectKey]) => objectKey).join()}`)
    })
    await attempt('list backups', async () => {
      const found = await session.list()
      if (found !== 2) throw new Error(`${found} backups, not 2`)
    })
    await attempt('verify', async () => {
      await session.verify(source)
    })
    await attempt('restore', async () => {
      const restored = await session.restore(inside('restored'))
      for (const [name, bytes] of files)
        if (!readFileSync(join(restored, name)).equals(bytes)) throw new Error(`${name} is not what it was`)
    })
    // what the program made for itself opens with its key, whatever it is
    await inspect(new Map())
    await attempt('delete old backups', async () => {
      const before = [...(await snapshot()).keys()]
      await session.prune(source)
      const after = await snapshot()
      if (before.every((objectKey) => after.has(objectKey))) throw new Error('nothing was deleted')
      const left = await session.list()
      if (left !== 1) throw new Error(`${left} backups left, not 1`)
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The programs make names up, so that two runs have none in common. But none is written twice in one step. */
const neverTwice =
  (record: Recorder): Recorder =>
  (step, outcome, writes) => {
    const twice = writes.filter((line, index) => line.startsWith('PUT ') && writes.indexOf(line) !== index)
    const error = `written twice: ${twice.join(', ')}`
    record(step, outcome.type === 'works' && twice.length > 0 ? { type: 'fails', error } : outcome, [])
  }
