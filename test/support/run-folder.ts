import { readdirSync } from 'node:fs'

/**
 * Runs the tests of folders in this process, one file after the other: those of pure functions take milliseconds, and tap a second to
 * start each process. A file that needs the process for itself is no test for this.
 */
export async function runFolders(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const url = new URL(`../${folder}/`, import.meta.url)
    const names = readdirSync(url).filter((name) => name.endsWith('.test.ts'))
    if (names.length === 0) throw new Error(`${folder}: no tests`)
    for (const name of names.sort()) await import(new URL(name, url).href)
  }
}
