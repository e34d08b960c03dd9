// npm run plots: docs/performance.md and its plots from the newest results in bench/results.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../root.js'
import { PLOT_FOLDER, makePage, newestResults } from './page.js'

const made = await makePage(newestResults())
const folder = join(ROOT, PLOT_FOLDER)
mkdirSync(folder, { recursive: true })
for (const file of readdirSync(folder)) rmSync(join(folder, file))
for (const [path, text] of made) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true })
  writeFileSync(join(ROOT, path), text)
  process.stdout.write(`${path}\n`)
}
