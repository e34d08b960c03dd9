import type { TopLevelSpec } from 'vega-lite'
import { HOPS, type HopName } from '../hop-names.js'
import type { Report } from '../report.js'
import { BODY_LOADS, SMALL_LOAD } from '../goals.js'

export interface Plot {
  /** Its file's, without `.svg`. */
  readonly name: string
  /** What it shows, for those who do not see it. */
  readonly alt: string
  readonly specification: TopLevelSpec
}

/** A bar. */
interface Value {
  readonly hop: HopName
  /** Which of several groups of bars. */
  readonly group: string
  readonly value: number
}

/** Those that a report has figures for. */
export function plotsOf(report: Report): readonly Plot[] {
  return [
    bars(
      'small-get',
      'CPU of the hop per GET of 1 KiB',
      'ms of CPU per request',
      loadValues(report, [SMALL_LOAD], 'hopCpuMsPerRequest'),
    ),
    bars('bodies', 'CPU of the hop per GiB', 's of CPU per GiB', loadValues(report, BODY_LOADS, 'hopCpuSecondsPerGib')),
    bars(
      'latency',
      'Added to a GET of 1 KiB at half of what the hop can take',
      'ms over direct access',
      report.latency.flatMap(({ hop, addedP50Ms, addedP99Ms }) => [
        { hop, group: 'p50', value: Math.max(0, addedP50Ms) },
        { hop, group: 'p99', value: Math.max(0, addedP99Ms) },
      ]),
    ),
    bars(
      'memory-size',
      'Peak memory by size of the object',
      'MiB resident',
      report.growth.flatMap(({ hop, smallPeakMib, largeBytes, largePeakMib }) => [
        { hop, group: '1 MiB', value: smallPeakMib },
        { hop, group: `${largeBytes / 1024 ** 3} GiB`, value: largePeakMib },
      ]),
    ),
    bars(
      'memory-parallel',
      'Peak memory, many transfers at once',
      'MiB resident',
      report.memory.map(({ hop, name, peakMib }) => ({ hop, group: name.replace(' in parallel', ''), value: peakMib })),
    ),
  ].filter((plot): plot is Plot => plot !== 'none')
}

function loadValues(
  { loads }: Report,
  names: readonly string[],
  member: 'hopCpuMsPerRequest' | 'hopCpuSecondsPerGib',
): readonly Value[] {
  return loads
    .filter(({ scenario }) => names.includes(scenario.name))
    .flatMap(({ scenario, hops }) =>
      HOPS.filter((hop) => hop !== 'direct').flatMap((hop) => {
        const value = hops[hop]?.[member]
        return value === undefined ? [] : [{ hop, group: scenario.name, value }]
      }),
    )
}

/** Colours that those who see fewer of them can tell apart (Okabe and Ito's). */
const COLOURS: Readonly<Record<HopName, string>> = {
  direct: '#999999',
  nginx: '#009E73',
  'nginx + njs': '#56B4E9',
  versitygw: '#CC79A7',
  'aws-sigv4-proxy': '#F0E442',
  'aws-s3-reverse-proxy': '#0072B2',
  'http-proxy pass': '#E69F00',
  'lean pass': '#D55E00',
}

function bars(name: string, title: string, unit: string, values: readonly Value[]): Plot | 'none' {
  if (values.length === 0) return 'none'
  const hops = HOPS.filter((hop) => values.some((value) => value.hop === hop))
  const groups = [...new Set(values.map(({ group }) => group))]
  const rounded = values.map((value) => ({ ...value, label: digits(value.value) }))
  const y = {
    field: 'hop',
    type: 'nominal',
    sort: hops,
    title: null,
    axis: { labelFontSize: 12, ticks: false },
  } as const
  return {
    name,
    alt: `${title}, ${unit}: ${values.map(({ hop, group, value }) => `${groups.length > 1 ? `${group}, ` : ''}${hop} ${digits(value)}`).join('; ')}`,
    specification: {
      $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
      background: 'white',
      padding: 12,
      title: { text: title, anchor: 'start', fontSize: 14 },
      data: { values: rounded },
      facet: {
        row: {
          field: 'group',
          type: 'nominal',
          sort: groups,
          title: null,
          header: {
            labelAngle: 0,
            labelAlign: 'left',
            labelOrient: 'top',
            labelAnchor: 'start',
            labels: groups.length > 1,
          },
        },
      },
      spec: {
        width: 480,
        height: { step: 22 },
        layer: [
          {
            mark: { type: 'bar' },
            encoding: {
              y,
              x: { field: 'value', type: 'quantitative', title: unit, axis: { grid: true } },
              color: {
                field: 'hop',
                type: 'nominal',
                scale: { domain: hops, range: hops.map((hop) => COLOURS[hop]) },
                legend: null,
              },
            },
          },
          {
            mark: { type: 'text', align: 'left', dx: 4, fontSize: 11 },
            encoding: { y, x: { field: 'value', type: 'quantitative' }, text: { field: 'label', type: 'nominal' } },
          },
        ],
      },
    },
  }
}

const digits = (value: number): string =>
  value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(2) : value.toFixed(0)
