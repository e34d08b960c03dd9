import { readdirSync } from 'node:fs'
import t from 'tap'

/**
 * Runs the tests of folders in this process, one file after the other: those of pure functions take milliseconds, and tap a second to
 * start each process. A file that needs the process for itself is no test for this.
 *
 * A teardown of tap's root fails here: with one, tap ends as soon as nothing is to be done, and the files that are still to come would not
 * be run, without an error.
 */
export async function runFolders(...folders: readonly string[]): Promise<void> {
  t.teardown = () => {
    throw new Error("a teardown of tap's root: take the one of the test")
  }
  for (const folder of folders) {
    const url = new URL(`../${folder}/`, import.meta.url)
    const names = readdirSync(url).filter((name) => name.endsWith('.test.ts'))
    if (names.length === 0) throw new Error(`${folder}: no tests`)
    for (const name of names.sort()) await import(new URL(name, url).href)
  }
}
