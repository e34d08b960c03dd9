import { type Files, diskFiles } from './config/files.js'
import { type LoadResult, loadConfig } from './config/load.js'
import { type Texts, asTheyWere, recorded } from './config/texts.js'

export interface ReadConfig {
  readonly result: LoadResult
  /** Every file that was looked into, to tell whether any of them changed. */
  readonly seen: ReadonlyMap<string, string | 'unreadable'>
}

/** Where the configuration comes from, now and again. */
export interface ConfigSource {
  readonly read: () => ReadConfig
  /** Of texts that were read elsewhere, by the primary of this worker. */
  readonly from: (texts: Texts) => LoadResult
  /** Whether the files still hold what was seen. */
  readonly same: (seen: ReadConfig['seen']) => boolean
}

export function configSource(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  files: Files = diskFiles,
): ConfigSource {
  const textOf = (path: string): string | 'unreadable' => {
    try {
      return files.readText(path)
    } catch {
      return 'unreadable'
    }
  }
  return {
    read: () => {
      const recording = recorded(files)
      const result = loadConfig(file, env, recording)
      return { result, seen: recording.seen }
    },
    from: (texts) => loadConfig(file, env, asTheyWere(texts, files)),
    same: (seen) => [...seen].every(([path, text]) => textOf(path) === text),
  }
}
