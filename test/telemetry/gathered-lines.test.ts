import t from 'tap'
import { compile } from '../server/compile.js'
import fc from 'fast-check'
import { fileURLToPath } from 'node:url'
import { gatherLines } from '../../src/telemetry/gathered-lines.js'
import { rmSync } from 'node:fs'
import { spawn } from 'node:child_process'

const COMPILED = compile(fileURLToPath(new URL('gathering-program.ts', import.meta.url)))
t.teardown(() => rmSync(COMPILED.folder, { recursive: true }))

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** The lines' numbers, and how the program ended. */
function run(how: string): Promise<{ readonly numbers: readonly number[]; readonly end: number | string | null }> {
  const child = spawn(process.execPath, [COMPILED.file, how], { stdio: ['ignore', 'pipe', 'ignore'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const lines = Buffer.concat(chunks).toString().split('\n')
      if (lines.pop() !== '') reject(new Error('the last line is not whole'))
      resolve({ numbers: lines.map((line) => (JSON.parse(line) as { n: number }).n), end: code ?? signal })
    })
  })
}

const TWENTY = Array.from({ length: 20 }, (_, n) => n)

t.test('no line is lost, however a process ends that is not killed', async (t) => {
  for (const [how, end] of [
    ['returns', 0],
    ['exits', 3],
    ['throws', 1],
    ['rejects', 1],
    ['loses its primary', 'SIGKILL'],
  ] as const) {
    t.strictSame(await run(how), { numbers: TWENTY, end }, how)
  }
})

t.test(
  'one that is killed loses what was gathered in that turn, and nothing before a line that does not wait',
  async (t) => {
    for (const how of ['warns', 'tells']) t.strictSame(await run(how), { numbers: TWENTY, end: 'SIGKILL' }, how)
    const { numbers } = await run('is killed a turn later')
    t.strictSame(numbers.slice(0, 20), TWENTY)
  },
)

t.test('lines stay whole and in order, in pieces that a pipe takes at once', async (t) => {
  const line = fc
    .oneof(
      { arbitrary: fc.string({ maxLength: 60 }), weight: 8 },
      fc.nat({ max: 5000 }).map((size) => 'ü'.repeat(size)),
    )
    .map((text) => `${text.replaceAll('\n', ' ')}\n`)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(line, fc.integer({ min: 0, max: 9 })), { maxLength: 60 }), async (lines) => {
      const pieces: string[] = []
      const output = gatherLines({ write: (text) => void pieces.push(text) })
      let given = ''
      for (const [text, how] of lines) {
        given += text
        if (how === 0) output.write(text)
        else output.gather?.(text.slice(0, -1), Buffer.byteLength(text) - 1)
        if (how === 0 && pieces.join('') !== given) throw new Error('a line that does not wait, waits')
        if (how === 1) {
          await turn()
          if (pieces.join('') !== given) throw new Error('something waits beyond its turn')
        }
      }
      await turn()
      if (pieces.join('') !== given) throw new Error(`lines are lost or torn: ${JSON.stringify(pieces)}`)
      for (const piece of pieces) {
        const whole =
          piece.endsWith('\n') && (Buffer.byteLength(piece) <= 4096 || piece.indexOf('\n') === piece.length - 1)
        if (!whole) throw new Error(`a piece may be torn: ${JSON.stringify(piece)}`)
      }
    }),
    { numRuns: 100 },
  )
  t.pass()
})

t.test('lines of one turn share a write', async (t) => {
  const pieces: string[] = []
  const output = gatherLines({ write: (text) => void pieces.push(text) })
  for (let i = 0; i < 16; i++) output.gather?.('x'.repeat(499), 499)
  t.equal(pieces.length, 1, 'what is full goes')
  await turn()
  t.strictSame(
    pieces.map((piece) => piece.length),
    [4000, 4000],
  )
})
