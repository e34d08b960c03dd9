import type { Files } from './files.js'

/** What a configuration was read from: absolute paths and the text of each, secrets among them. Never to be logged. */
export type Texts = ReadonlyMap<string, string>

/** The same files, with a record of what was read; `unreadable` where it could not be. */
export function recorded(files: Files): Files & { readonly seen: ReadonlyMap<string, string | 'unreadable'> } {
  const seen = new Map<string, string | 'unreadable'>()
  return {
    seen,
    kindOf: files.kindOf,
    readText(path) {
      try {
        const text = files.readText(path)
        seen.set(path, text)
        return text
      } catch (error) {
        seen.set(path, 'unreadable')
        throw error
      }
    },
  }
}

/** Files as they were when these texts were read, whatever they hold by now. */
export function asTheyWere(texts: Texts, files: Files): Files {
  return {
    kindOf: files.kindOf,
    readText(path) {
      const text = texts.get(path)
      if (text === undefined) throw Object.assign(new Error('was not read'), { code: 'ENOENT' })
      return text
    },
  }
}
