import { statSync } from 'node:fs'
import type { Config } from '../config/types.js'
import type { Files } from '../config/files.js'
import { about, type Finding } from '../doctor/finding.js'

/** The same files, and a list of what was read: besides the configuration itself, its secrets. */
export function noticing(files: Files): { readonly files: Files; readonly read: () => readonly string[] } {
  const read = new Set<string>()
  return {
    files: {
      ...files,
      readText: (path) => {
        read.add(path)
        return files.readText(path)
      },
    },
    read: () => [...read],
  }
}

/**
 * Who else may read what is secret, and change what decides: keyring files, private keys and secrets should be for their owner
 * alone. A group may read them where that is how they come in (Kubernetes mounts secrets so, with `fsGroup`).
 */
export function checkModes(config: Config, configFile: string, secrets: readonly string[]): readonly Finding[] {
  const keys = config.listeners.flatMap((listener) => (listener.type === 'https' ? [listener.tls.keyFile] : []))
  const keyrings = config.keyrings.map(({ file }) => file)
  const secret = new Set([...keyrings, ...keys, ...secrets])
  return [...[...secret].map((file) => checkMode(file, 0o077)), checkMode(configFile, 0o022)]
}

function checkMode(file: string, unwanted: number): Finding {
  const finding = about('file', file)
  try {
    const mode = statSync(file).mode & 0o777
    const shown = `mode 0${mode.toString(8).padStart(3, '0')}`
    if ((mode & unwanted) === 0) return finding('ok', shown)
    const isWorld = (mode & unwanted & 0o007) !== 0
    const who = isWorld ? 'everybody on this machine' : 'its group'
    const what =
      unwanted === 0o022 ? 'may change it' : (mode & unwanted & 0o022) !== 0 ? 'may change it' : 'may read it'
    const remedy = unwanted === 0o022 ? `chmod go-w ${file}` : `chmod 600 ${file}`
    return finding(isWorld ? 'warning' : 'note', `${shown}: ${who} ${what}`, remedy)
  } catch {
    return finding('failed', 'cannot be looked at', 'check its path and the permissions of its directories')
  }
}
