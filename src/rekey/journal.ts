import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { MaintenanceError } from '../maintenance/error.js'
import type { NotedUpload, UploadNotes } from './multipart-copy.js'
import { count, noCounts, SKIPS, type Counts, type LossyCopy, type Outcome, type RekeyCommand } from './outcome.js'

export const JOURNAL_FORMAT = 'ssec-proxy-journal/1'

/** What a journal belongs to; anything else does not go on with it. */
export interface JournalSubject {
  readonly command: RekeyCommand
  readonly bucket: string
  readonly prefix: string
  /** host and port of the upstream */
  readonly upstream: string
  /** `keyring version` of every active version under the prefix, sorted */
  readonly targets: readonly string[]
}

/** What earlier runs have done. */
export interface JournalState {
  readonly counts: Counts
  /** The last name of the last page of which every object has an outcome; `''` where there is none. */
  readonly after: string
  /** Number of that page; the next one read is the one behind it. */
  readonly page: number
  /** Whether the whole list has been gone through. */
  readonly isListed: boolean
  /** Objects of later pages that have an outcome already. */
  readonly since: ReadonlySet<string>
  /** Object keys and reasons. */
  readonly failed: ReadonlyMap<string, string>
  /** Those among them that were copied, and lost something. */
  readonly lossy: ReadonlyMap<string, LossyCopy>
}

export interface Journal extends UploadNotes {
  readonly before: JournalState
  /** Uploads that earlier runs began, by object key. */
  readonly uploads: ReadonlyMap<string, NotedUpload>
  outcome(page: number, objectKey: string, outcome: Outcome): void
  /** Every object of this page and of those before it has an outcome. */
  pageDone(page: number, last: string): void
  listed(): void
  close(): void
}

/** One line each, after the first, which is the subject. */
type Line =
  | { readonly type: 'object'; readonly page: number; readonly key: string; readonly outcome: Outcome }
  | { readonly type: 'page'; readonly page: number; readonly last: string }
  | { readonly type: 'upload'; readonly key: string; readonly upload: NotedUpload }
  | { readonly type: 'upload-over'; readonly key: string }
  | { readonly type: 'listed' }

interface Growing {
  readonly counts: Counts
  after: string
  page: number
  isListed: boolean
  readonly since: Map<string, number>
  readonly failed: Map<string, string>
  readonly lossy: Map<string, LossyCopy>
  readonly uploads: Map<string, NotedUpload>
}

/**
 * Opens or makes a journal: JSON lines, appended, mode 0600 (object keys are in it; no customer key ever is). A line that
 * a kill cut off is taken off the end. What was written is in the system's hands at once, so a kill loses nothing; on a
 * crash of the machine the last second may be lost, and costs a HEAD per object. Uploads are on the disk before their
 * first part. A journal that ended without failures is begun anew.
 *
 * @throws MaintenanceError where it belongs to something else, is damaged or cannot be written
 */
export function openJournal(file: string, subject: JournalSubject): Journal {
  const head = JSON.stringify({ format: JOURNAL_FORMAT, ...subject })
  const found = readJournal(file, head)
  const isOver = found.state.isListed && found.state.failed.size === 0 && found.state.uploads.size === 0
  const state = isOver ? newState() : found.state
  const descriptor = attempt(file, () => openSync(file, 'a', 0o600))
  if (isOver || found.length === 0) {
    ftruncateSync(descriptor, 0)
    writeSync(descriptor, `${head}\n`)
  } else ftruncateSync(descriptor, found.length)
  fsyncSync(descriptor)
  const { uploads } = state
  const before = {
    ...state,
    counts: { ...state.counts, skipped: { ...state.counts.skipped } },
    since: new Set(state.since.keys()),
    failed: new Map(state.failed),
    lossy: new Map(state.lossy),
  }
  const append = (line: Line): void => void attempt(file, () => writeSync(descriptor, `${JSON.stringify(line)}\n`))
  return {
    before,
    uploads,
    outcome: (page, key, outcome) => append({ type: 'object', page, key, outcome }),
    pageDone: (page, last) => {
      append({ type: 'page', page, last })
      fsyncSync(descriptor)
    },
    listed: () => append({ type: 'listed' }),
    find: (key) => uploads.get(key) ?? 'none',
    begun: (key, upload) => {
      uploads.set(key, upload)
      append({ type: 'upload', key, upload })
      fsyncSync(descriptor)
    },
    over: (key) => {
      uploads.delete(key)
      append({ type: 'upload-over', key })
    },
    close: () => {
      fsyncSync(descriptor)
      closeSync(descriptor)
    },
  }
}

/** For a dry run: nothing is written, and nothing was before. */
export function unwrittenJournal(): Journal {
  const state = newState()
  const nothing = (): void => undefined
  return {
    before: { ...state, since: new Set() },
    uploads: new Map(),
    outcome: nothing,
    pageDone: nothing,
    listed: nothing,
    find: () => 'none',
    begun: nothing,
    over: nothing,
    close: nothing,
  }
}

const newState = (): Growing => ({
  counts: noCounts(),
  after: '',
  page: 0,
  isListed: false,
  since: new Map(),
  failed: new Map(),
  lossy: new Map(),
  uploads: new Map(),
})

/** @returns the state and how many bytes of the file are whole lines */
function readJournal(file: string, head: string): { readonly state: Growing; readonly length: number } {
  const state = newState()
  const bytes = attempt(file, () => readWhole(file))
  const length = bytes.lastIndexOf(0x0a) + 1
  const lines = bytes.toString('utf8', 0, length).split('\n').slice(0, -1)
  if (lines.length === 0) {
    if (bytes.length > 0) throw new MaintenanceError(`${file}: is not a journal; name another with --journal`)
    return { state, length: 0 }
  }
  // A run that ended before its first object leaves nothing that could be gone on with.
  if (lines.length === 1 && lines[0]?.startsWith(`{"format":"${JOURNAL_FORMAT}"`) === true) return { state, length: 0 }
  if (lines[0] !== head) throw new MaintenanceError(otherSubject(file, lines[0] ?? '', head))
  lines.slice(1).forEach((text, i) => {
    const line = parseLine(text)
    if (line === 'damaged') {
      throw new MaintenanceError(`${file}: line ${i + 2} is damaged; remove the journal to begin again`)
    }
    take(state, line)
  })
  return { state, length }
}

function readWhole(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

function otherSubject(file: string, found: string, wanted: string): string {
  let before: Readonly<Record<string, unknown>>
  try {
    before = JSON.parse(found) as Readonly<Record<string, unknown>>
  } catch {
    return `${file}: is not a journal; name another with --journal`
  }
  const now = JSON.parse(wanted) as Readonly<Record<string, unknown>>
  const other = Object.keys(now).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
  const what = other.map((name) => `${name} ${JSON.stringify(before[name])} instead of ${JSON.stringify(now[name])}`)
  return `${file}: is the journal of something else (${what.join(', ')}); name another with --journal, or remove it`
}

function parseLine(text: string): Line | 'damaged' {
  try {
    const line = JSON.parse(text) as Line
    switch (line.type) {
      case 'object':
        return typeof line.key === 'string' && isOutcome(line.outcome) ? line : 'damaged'
      case 'page':
        return typeof line.last === 'string' && Number.isInteger(line.page) ? line : 'damaged'
      case 'upload':
        return typeof line.key === 'string' && typeof line.upload.uploadId === 'string' ? line : 'damaged'
      case 'upload-over':
      case 'listed':
        return line
      default:
        return 'damaged'
    }
  } catch {
    return 'damaged'
  }
}

function isOutcome(outcome: Outcome): boolean {
  if (outcome.type === 'skipped') return Object.hasOwn(SKIPS, outcome.why)
  if (outcome.type === 'failed' && outcome.copy !== 'none') return typeof outcome.copy.etag === 'string'
  return ['moved', 'already', 'changed', 'failed'].includes(outcome.type)
}

function take(state: Growing, line: Line): void {
  switch (line.type) {
    case 'object': {
      const { key, outcome } = line
      // A second try of what had failed takes the place of the first.
      if (state.failed.delete(key)) state.counts.failed -= 1
      else state.counts.listed += 1
      count(state.counts, outcome)
      state.lossy.delete(key)
      if (outcome.type === 'failed') {
        state.failed.set(key, outcome.reason)
        if (outcome.copy !== 'none') state.lossy.set(key, outcome.copy)
      }
      state.since.set(key, line.page)
      return
    }
    case 'page':
      state.page = line.page
      state.after = line.last
      for (const [key, page] of state.since) if (page <= line.page) state.since.delete(key)
      return
    case 'upload':
      state.uploads.set(line.key, line.upload)
      return
    case 'upload-over':
      state.uploads.delete(line.key)
      return
    case 'listed':
      state.isListed = true
  }
}

function attempt<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new MaintenanceError(`${file}: the journal cannot be used (${code}); name another place with --journal`, {
      cause,
    })
  }
}
