import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Operation } from '../../src/s3/operation.js'
import { OPERATIONS } from '../../src/s3/operations.js'

const DOCUMENT = new URL('../../docs/s3-operations.md', import.meta.url)

const KEYS = {
  none: 'none',
  target: 'yes',
  'target-and-source': 'yes, and of the copy source',
} as const

/** What the document must say of an operation, cell by cell. */
function cells(operation: Operation): readonly string[] {
  const { name, method, target, permission, customerKey, handling, selector } = operation
  const wanted = permission === 'none' ? 'none: asked and sent on without credentials' : `\`${permission}\``
  const source = selector === 'copy-source' ? ', `read` on the source' : ''
  return handling === 'forward'
    ? [name, `\`${method}\` ${target}`, wanted + source, KEYS[customerKey], 'forwarded']
    : [name, `\`${method}\` ${target}`, '', '', `refused: ${handling.refuse}`]
}

t.test('docs/s3-operations.md says of every operation what the table of operations says', async (t) => {
  const text = readFileSync(DOCUMENT, 'utf8')
  const found = text
    .split('\n')
    .filter((line) => /^\| [A-Z][A-Za-z0-9]+ +\| `[A-Z]+` /.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  const expected = OPERATIONS.map(cells)
  t.strictSame(found, expected, `the rows should be:\n${expected.map((row) => `| ${row.join(' | ')} |`).join('\n')}`)
  t.equal(found.length, OPERATIONS.length)
})
