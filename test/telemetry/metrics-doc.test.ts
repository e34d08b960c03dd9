import t from 'tap'
import { createMetrics } from '../../src/telemetry/metrics.js'
import { leaderMetrics } from '../../src/telemetry/leader-metrics.js'
import { readFileSync } from 'node:fs'
import { served } from './event.js'

const DOCUMENT = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')

/** `name type labels`, of each row of the document's tables. */
const documented = [...DOCUMENT.matchAll(/^\| `(ssec_proxy_\w+)` +\| (\w+) +\| (?:`([\w ]+)`)? +\|/gm)].map(
  ([, name, type, labels]) => `${name} ${type} ${labels ?? ''}`.trim(),
)

/** The same of the text of a registry in which each metric has a sample. */
function exposed(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (ssec_proxy_\w+) (\w+)$/gm)].map(([, name, type]) => {
    const sample = new RegExp(`^${name}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? `, 'm').exec(text)
    if (sample === null) throw new Error(`${name} has no sample: this test must make one`)
    const labels = [...(sample[1] ?? '').matchAll(/(\w+)="/g)]
      .map(([, label]) => label)
      .filter((label) => label !== 'le')
    return `${name} ${type} ${labels.join(' ')}`.trim()
  })
}

async function everything(): Promise<string> {
  const metrics = createMetrics({
    inFlight: () => 1,
    upstreamSockets: () => ({ in_use: 1 }),
    upstreamRetries: () => 1,
    remembered: () => ({ hits: 1, misses: 1 }),
    audit: () => ({ written: 1, lost: 0, failing: false, behind: false }),
  })
  metrics.observe({ ...served, keyVersion: 'plain' })
  metrics.observe({ ...served, outcome: 'refused' })
  metrics.observe({ ...served, outcome: 'upstream-failed' })
  metrics.certificate({ listener: 'https :1', notAfter: new Date(0) })
  metrics.keyVersions(() => [{ keyring: 'main', keyVersion: 'v1', active: true, created: new Date(0) }])
  metrics.keyringReload('main', 'refused')
  const keyring = 'main'
  metrics.keyringEvent({ type: 'call', keyring, operation: 'Decrypt', outcome: 'ok', ms: 1 })
  metrics.keyringEvent({ type: 'look-up', keyring, result: 'hit' })
  metrics.keyringEvent({ type: 'unwrapped', keyring, keyVersion: 'v1', at: 0 })
  const leader = leaderMetrics({ version: '1', nodeVersion: 'v20', started: new Date(0) })
  leader.workers({ wanted: 1, ready: 1, answered: 1 })
  leader.workerCrashed('code 1')
  leader.configReload('refused')
  return `${await metrics.text()}\n${await leader.text()}`
}

t.test('docs/metrics.md has exactly the metrics that there are, with their types and labels', async (t) => {
  const text = await everything()
  t.strictSame([...documented].sort(), [...exposed(text)].sort())
  t.equal(new Set(documented).size, documented.length)
  for (const [name] of DOCUMENT.matchAll(/\b(?:nodejs|process)_\w+/g)) t.match(text, `# TYPE ${name} `, name)
  for (const [name] of DOCUMENT.matchAll(/\bssec_proxy_\w+/g)) t.match(text, `# TYPE ${name} `, name)
})
