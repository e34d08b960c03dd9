// Gathers what the client tests of a run found into one page, which scripts/run-tests.mjs prints, and holds the page that
// is kept to it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatTables, keptResults } from '../e2e/report.js'
import { cellsOf } from '../support/table-cells.js'
import { RECORD_VARIABLE } from '../support/record.js'

const HEAD = `# What each client did through the proxy

Written by \`npm run test:e2e\`, which fails where a run and this page differ ([CONTRIBUTING](../CONTRIBUTING.md) says how to write it
anew). The settings of each program are in [clients.md](clients.md).

"yes": it worked, and what it read is what it wrote. "no": it did not, as the numbered reason says; where the program has
a command for it, it was tried. "at rest": seen with the upstream's own credentials, every object is refused without its
key, and opens with the key that is worked out from the keyring file alone. "same writes": in what worked, nothing was
written, written again or deleted at the upstream beyond what the same program does there without the proxy, on plain
objects whose ETags are MD5s. Those runs without the proxy have a table of their own: what says "no" there is the
program's doing.

The embedded origin has random ETags under SSE-C, as AWS has; radosgw 16 has MD5s, and no copies with customer keys; MinIO
stands for stores that copy. Virtual-hosted style and plain http on loopback were tried with fewer object keys.

`

t.test('the table of clients', async (t) => {
  const folder = process.env[RECORD_VARIABLE]
  if (folder === undefined) return t.fail('there is no record of a run')
  const results = keptResults(folder)
  const failed = results.filter(({ outcome }) => outcome.type === 'fails')
  t.equal(failed.length, 0, `${results.length} results, none of a failure`)
  if (results.length === 0) return
  const page = HEAD + formatTables(results)
  writeFileSync(join(folder, 'clients.md'), page)

  const kept = cellsOf(readFileSync(new URL('../../docs/client-results.md', import.meta.url), 'utf8'))
  const found = cellsOf(page)
  const differing = [...found].filter(([name, cell]) => kept.get(name) !== cell)
  t.strictSame(
    differing.map(([name, cell]) => `${name}: ${cell}, not ${kept.get(name) ?? 'there'}`),
    [],
    'docs/client-results.md says what this run found',
  )
  // a run of some files says nothing of the clients of others
  const clientOf = (name: string): string => name.split(' | ').slice(0, 2).join(' | ')
  const ran = new Set([...found.keys()].map(clientOf))
  const gone = [...kept.keys()].filter((name) => ran.has(clientOf(name)) && !found.has(name))
  t.strictSame(gone, [], 'and nothing that it did not find')
})
