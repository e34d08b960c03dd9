import { readFileSync, statSync } from 'node:fs'

export type FileKind = 'file' | 'directory' | 'other' | 'missing'

/** What a configuration needs of the file system. Paths are absolute. */
export interface Files {
  /** The file's text; throws where it cannot be read. */
  readonly readText: (path: string) => string
  /** `missing` also where it cannot be reached. */
  readonly kindOf: (path: string) => FileKind
}

export const diskFiles: Files = {
  readText: (path) => readFileSync(path, 'utf8'),
  kindOf(path) {
    try {
      const stats = statSync(path)
      if (stats.isFile()) return 'file'
      return stats.isDirectory() ? 'directory' : 'other'
    } catch {
      return 'missing'
    }
  },
}

const IN_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
}

/** Why a system call failed, in a few words: the whole message would repeat the path. */
export function failureReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? (IN_WORDS[code] ?? code) : 'unknown error'
}
