import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { KeyringFileText } from '../keyring/create.js'

/** What became of a file. `unchanged` leaves it as it was, and so does `failed` in all but a broken disk. */
export type Stored =
  { readonly type: 'stored' } | { readonly type: 'unchanged' } | { readonly type: 'failed'; readonly reason: string }

/** Reads a keyring file and its permission bits, as one. */
export function readKeyringText(file: string): KeyringFileText {
  try {
    return withDescriptor(openSync(file, 'r'), (source) => ({
      type: 'text',
      text: readFileSync(source, 'utf8'),
      mode: fstatSync(source).mode & 0o777,
    }))
  } catch (error) {
    return { type: 'unreadable', reason: reasonOf(error) }
  }
}

/** Makes a keyring file of mode 0600 that did not exist: whole and on the disk, or not at all. Never replaces one. */
export function createKeyringFile(file: string, text: string): Stored {
  return outcome(file, () => {
    const target = join(realpathSync(dirname(file)), basename(file))
    return withReplacement(target, (descriptor, replacement) => {
      fchmodSync(descriptor, 0o600)
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
      // A link, unlike a rename, fails where the name is taken.
      linkSync(replacement, target)
      return 'linked'
    })
  })
}

/**
 * Replaces a keyring file's text by what `change` makes of it, or leaves it where that gives undefined; mode and owner
 * stay. Whoever reads meanwhile sees the old text or the new one, and no second process can change it at the same time.
 */
export function changeKeyringFile(file: string, change: (before: string) => string | undefined): Stored {
  return outcome(file, () => {
    // A link to the file stays a link: the file that it names is replaced.
    const target = realpathSync(file)
    return withReplacement(target, (descriptor, replacement) =>
      withDescriptor(openSync(target, 'r'), (source) => {
        const { mode, uid, gid } = fstatSync(source)
        const own = fstatSync(descriptor)
        const text = change(readFileSync(source, 'utf8'))
        if (text === undefined) return 'unchanged'
        if (own.uid !== uid || own.gid !== gid) fchownSync(descriptor, uid, gid)
        fchmodSync(descriptor, mode & 0o777)
        writeFileSync(descriptor, text)
        fsyncSync(descriptor)
        renameSync(replacement, target)
        return 'renamed'
      }),
    )
  })
}

/** `renamed`: the replacement is the keyring file now, and its own name is free for the next command. */
type Written = 'renamed' | 'linked' | 'unchanged'

/** The replacement is made exclusively, under a name that depends on the file's alone: that makes it a lock as well. */
function withReplacement(target: string, write: (descriptor: number, replacement: string) => Written): Written {
  const replacement = `${target}.new`
  const descriptor = openSync(replacement, 'wx', 0o600)
  let written: Written = 'unchanged'
  try {
    written = withDescriptor(descriptor, () => write(descriptor, replacement))
    return written
  } finally {
    // Behind a rename, what has this name is another command's: without it, two would write at the same time.
    if (written !== 'renamed') rmSync(replacement, { force: true })
    // A new name is on the disk once its folder is.
    withDescriptor(openSync(dirname(target), 'r'), fsyncSync)
  }
}

function withDescriptor<T>(descriptor: number, run: (descriptor: number) => T): T {
  try {
    return run(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function outcome(file: string, run: () => Written): Stored {
  try {
    return { type: run() === 'unchanged' ? 'unchanged' : 'stored' }
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (error.code === 'EEXIST' && error.syscall === 'open') {
      const reason = `${error.path ?? file} exists: another command is changing this keyring, or was interrupted (then remove it)`
      return { type: 'failed', reason }
    }
    if (error.code === 'EEXIST')
      return { type: 'failed', reason: `${file} exists already; \`keys rotate\` gives it a new key version` }
    return { type: 'failed', reason: `${file}: ${reasonOf(error)}` }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EISDIR: 'is a folder',
}

const reasonOf = (error: unknown) => (isSystemError(error) ? (REASONS[error.code] ?? error.code) : 'unknown error')

const isSystemError = (error: unknown): error is NodeJS.ErrnoException & { readonly code: string } =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
