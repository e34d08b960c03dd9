import type { Access } from '../clients/client.js'

export type BackupStep = 'backup' | 'second backup' | 'list backups' | 'verify' | 'restore' | 'delete old backups'

/** A backup program that was given a bucket. It names its objects itself. Every method rejects where the program fails. */
export interface BackupSession {
  /** Of a folder, into the bucket. */
  readonly backup: (folder: string) => Promise<unknown>
  /** How many backups there are. */
  readonly list: () => Promise<number>
  /** The program's own check of what it stored. */
  readonly verify: (folder: string) => Promise<unknown>
  /** The newest backup, into an empty folder, with the path of its files below it. */
  readonly restore: (folder: string) => Promise<string>
  /** Deletes all but the newest, of which it may make another first. */
  readonly prune: (folder: string) => Promise<unknown>
}

export interface BackupTool {
  readonly name: string
  version(): Promise<string>
  readonly signatures?: 'v2'
  readonly limits: Partial<Record<BackupStep, string>>
  open(access: Access, folder: string): Promise<BackupSession>
}
