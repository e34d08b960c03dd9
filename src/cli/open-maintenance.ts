import { readFileSync } from 'node:fs'
import type { Config } from '../config/types.js'
import type { OpenedKeyring } from '../keyring/create.js'
import { openUpstreamAccess, type UpstreamAccess } from '../maintenance/access.js'
import { kmsOverSdk } from '../kms-over-sdk.js'
import type { CliIo } from './io.js'
import type { ProgressBar } from './progress.js'
import { openConfiguration } from './serve.js'

/** Starts telling how far a command is. */
export type CommandProgress = (title: string) => ProgressBar

export interface Maintenance {
  readonly config: Config
  readonly keyrings: readonly OpenedKeyring[]
  readonly access: UpstreamAccess
  readonly close: () => Promise<void>
}

/** A configuration, its keyrings and its upstream, for commands; or `wrong`, and the reasons are on stderr. */
export async function openMaintenance(file: string, io: CliIo): Promise<Maintenance | 'wrong'> {
  const opened = await openConfiguration(file, io, kmsOverSdk(io))
  if (opened === 'wrong') return 'wrong'
  const access = openUpstreamAccess(
    opened.config,
    opened.keyrings.map(({ keyring }) => keyring),
    {
      ...io,
      readFile: (name) => readFileSync(name, 'utf8'),
      warn: (message) => io.stderr(`ssec-proxy: warning: ${message}\n`),
    },
  )
  return { config: opened.config, keyrings: opened.keyrings, access, close: () => access.close() }
}
