import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { runCommandLine } from './cli/main.js'

/** The composition root: the only file that knows process, clock and signals. */
const stopped = () =>
  new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })

const packageFile = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }

const code = await runCommandLine(
  process.argv.slice(2),
  {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    env: process.env,
    now: () => new Date(),
    randomBytes: (size) => randomBytes(size),
  },
  {
    stop: stopped,
    onReload: (reload) => process.on('SIGHUP', reload),
    terminal: process.stderr,
  },
  version,
)
process.exitCode = code
