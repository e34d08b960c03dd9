import { readdirSync } from 'node:fs'
import t from 'tap'

/**
 * Runs the tests of folders in this process, one file after the other: those of pure functions take milliseconds, and tap a second to
 * start each process. A file that needs the process for itself is no test for this.
 */
export async function runFolders(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const names = readdirSync(new URL(`../${folder}/`, import.meta.url)).filter((name) => name.endsWith('.test.ts'))
    if (names.length === 0) throw new Error(`${folder}: no tests`)
    await runFiles(...names.sort().map((name) => `${folder}/${name.slice(0, -'.test.ts'.length)}`))
  }
}

/**
 * The same for files, `folder/name` of each.
 *
 * Teardowns of tap's root are called behind the last test. Left to tap, one of them would make it end as soon as nothing is to be done, and
 * the files that are still to come would not be run, without an error.
 */
export async function runFiles(...names: readonly string[]): Promise<void> {
  const test = t.test.bind(t)
  const teardowns: (() => unknown)[] = []
  let tests = 0
  t.teardown = (teardown) => void teardowns.push(teardown)
  t.test = ((...given: Parameters<typeof test>) => {
    tests += 1
    return test(...given)
  }) as typeof test
  for (const name of names) {
    const before = tests
    await import(`../${name}.test.js`)
    if (tests === before) throw new Error(`${name}: no tests`)
  }
  t.test = test
  if (teardowns.length === 0) return
  void t.test('what these files opened is closed', async () => {
    for (const teardown of teardowns.reverse()) await teardown()
  })
}
