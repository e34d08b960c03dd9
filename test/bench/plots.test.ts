import { readFileSync } from 'node:fs'
import t from 'tap'
import { HOPS } from '../../bench/hop-names.js'
import { markdown, sectionsOf } from '../../bench/markdown.js'
import { draw } from '../../bench/plots/draw.js'
import { plotsOf } from '../../bench/plots/plots.js'
import { type Report, readReport } from '../../bench/report.js'

const OLD = readReport(readFileSync(new URL('../../bench/results/2026-11-25-node26.json', import.meta.url), 'utf8'))

/** A run in which everything was measured, rivals too. */
function whole(): Report {
  const ms = { p50Ms: 1, p99Ms: 2 }
  const state = { heapMib: 30, externalMib: 5, rssMib: 150, handles: 3 }
  const loads = OLD.loads.map((row) => ({
    ...row,
    hops: Object.fromEntries(HOPS.map((name) => [name, row.hops[name] ?? row.hops.nginx!])),
  }))
  const one = OLD.loads[0]!.hops['lean pass']!
  return {
    ...OLD,
    loads,
    workers: { processors: 2, one, two: { ...one, requestsPerSecond: one.requestsPerSecond * 1.9 } },
    latency: (['nginx', 'lean pass'] as const).map((hop) => ({
      hop,
      saturatedPerSecond: 1000,
      pacedPerSecond: 500,
      direct: ms,
      through: ms,
      addedP50Ms: 0.25,
      addedP99Ms: hop === 'nginx' ? -0.125 : 0.75,
    })),
    growth: [{ hop: 'lean pass', smallBytes: 2 ** 20, smallPeakMib: 120, largeBytes: 5 * 2 ** 30, largePeakMib: 140 }],
    soak: { requests: 200_000, aborted: 10_000, connections: 64, before: state, after: state },
    idle: [{ hop: 'lean pass', clients: 10_000, kibPerClient: 30, alone: ms, among: ms }],
    start: { runs: 5, toReadyMs: 300, nodeAloneMs: 30 },
    chunks: [{ chunkBytes: 65_536, sha256MibPerSecond: 2000, verifiedMibPerSecond: 1700, ratio: 0.85 }],
  }
}

t.test('every plot is drawn, with all hops that were measured and their figures', async (t) => {
  const plots = plotsOf(whole())
  t.same(
    plots.map(({ name }) => name),
    ['small-get', 'bodies', 'latency', 'memory-size', 'memory-parallel'],
  )
  for (const { name, alt, specification } of plots) {
    const svg = await draw(specification)
    t.match(svg, /^<svg [^]*<\/svg>\n$/, name)
    t.ok(svg.includes('lean pass') && alt.includes('lean pass'), `${name} shows the proxy`)
    t.equal(await draw(specification), svg, `${name} is the same each time`)
  }
  const bodies = await draw(plots[1]!.specification)
  for (const hop of HOPS.filter((name) => name !== 'direct')) t.ok(bodies.includes(hop), hop)
  t.notOk(bodies.includes('direct'), 'which has no hop')
  const latency = await draw(plots[2]!.specification)
  t.ok(latency.includes('0.750') && latency.includes('0.000'), 'what adds less than nothing adds nothing')
})

t.test('the text of a run has every section, the goals first', async (t) => {
  const report = whole()
  const text = markdown(report)
  for (const { title } of sectionsOf(report)) t.ok(text.includes(`\n## ${title}\n`), title)
  t.ok(text.indexOf('## Goals') < text.indexOf('## GET 1 KiB'))
  t.match(text, /throughput, two workers : one \(says nothing on 2 processors\) +\| +1\.90 ×/)
  t.match(text, /lean : versitygw/)
  const plotted = sectionsOf(report).flatMap(({ plots }) => plots)
  t.same(
    [...plotted].sort(),
    plotsOf(report)
      .map(({ name }) => name)
      .sort(),
    'each plot stands in one section',
  )
})
