// The status page: reads /metrics and /status.json every few seconds and shows what they say. No library, no build.
'use strict'

const EVERY_MS = 3000
const MOST_POINTS = 100
const DAY = 86400
const byId = (id) => document.getElementById(id)
const points = []
let before

function make(tag, text, name) {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (name) element.className = name
  return element
}

/** Prometheus' text format as a list of { name, labels, value }. */
function parse(text) {
  const samples = []
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    if (name === undefined) continue
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, shown]) => [label, shown])
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) })
  }
  return samples
}

const all = (samples, name) => samples.filter((sample) => sample.name === `ssec_proxy_${name}`)
const sum = (samples, name, fits = () => true) =>
  all(samples, name)
    .filter(({ labels }) => fits(labels))
    .reduce((total, { value }) => total + value, 0)

/** The quantile of a histogram's growth, by its buckets; undefined where nothing was observed. */
function quantile(now, then, name, q) {
  const counts = new Map()
  for (const [samples, sign] of [
    [now, 1],
    [then, -1],
  ]) {
    for (const { labels, value } of all(samples, `${name}_bucket`)) {
      const le = labels.le === '+Inf' ? Infinity : Number(labels.le)
      counts.set(le, (counts.get(le) ?? 0) + sign * value)
    }
  }
  const buckets = [...counts].sort(([a], [b]) => a - b)
  const total = buckets.at(-1)?.[1] ?? 0
  if (total <= 0) return undefined
  let [low, under] = [0, 0]
  for (const [le, count] of buckets) {
    if (count >= q * total) return le === Infinity ? low : low + ((le - low) * (q * total - under)) / (count - under)
    ;[low, under] = [le, count]
  }
  return low
}

function seconds(value) {
  if (value === undefined) return '–'
  if (value < 0.001) return `${Math.round(value * 1e6)} µs`
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`
}

function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB']
  let i = 0
  for (; value >= 1000 && i < units.length - 1; i++) value /= 1000
  return `${value < 10 && i > 0 ? value.toFixed(1) : Math.round(value)} ${units[i]}`
}

function span(value) {
  if (value < 120) return `${Math.round(value)} s`
  if (value < 7200) return `${Math.round(value / 60)} min`
  return value < 2 * DAY ? `${Math.round(value / 3600)} h` : `${Math.floor(value / DAY)} days`
}

function terms(id, rows) {
  const shown = rows.length === 0 ? [['none', '', '']] : rows
  byId(id).replaceChildren(...shown.flatMap(([term, text, name]) => [make('dt', term), make('dd', text, name)]))
}

function tiles(rows) {
  byId('tiles').replaceChildren(
    ...rows.map(([value, label, name]) => {
      const tile = make('div', undefined, 'tile')
      tile.append(make('b', value, name), make('span', label))
      return tile
    }),
  )
}

function draw() {
  const most = Math.max(1, ...points)
  const step = 300 / (MOST_POINTS - 1)
  const from = MOST_POINTS - points.length
  const path = points.map((y, i) => `${i === 0 ? 'M' : 'L'}${(from + i) * step} ${57 - (54 * y) / most}`).join('')
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  line.setAttribute('d', path)
  byId('chart').replaceChildren(line)
}

function alarms(samples, now) {
  const found = []
  const flag = (name, text) => {
    for (const { labels, value } of all(samples, name)) if (value === 1) found.push(text(labels))
  }
  flag(
    'config_reload_failed',
    () => 'The configuration on the disk is refused; an older one is in use. The log says why.',
  )
  flag('keyring_reload_failed', ({ keyring }) => `The file of keyring ${keyring} is refused; an older one is in use.`)
  flag('tls_certificate_reload_failed', ({ listener }) => `The new certificate of ${listener} is refused.`)
  flag('audit_failing', () => 'The audit log cannot be written.')
  const unproven = sum(samples, 'encryption_unproven_total')
  if (unproven > 0) found.push(`${unproven} answers of the upstream did not prove encryption.`)
  const lost = sum(samples, 'audit_lines_lost_total')
  if (lost > 0) found.push(`${lost} lines of the audit log were lost.`)
  for (const { labels, value } of all(samples, 'tls_certificate_not_after_seconds')) {
    if (value - now < 14 * DAY)
      found.push(
        `The certificate of ${labels.listener} ${value < now ? 'has expired' : `expires in ${span(value - now)}`}.`,
      )
  }
  byId('alarms').replaceChildren(...found.map((text) => make('li', text)))
}

function health(samples, then) {
  const grown = (name, fits) => sum(samples, name, fits) - sum(then, name, fits)
  const failed = grown('upstream_failures_total')
  const asked = grown('upstream_requests_total')
  const rows = [
    failed > 0
      ? ['upstream', `${failed} failures just now`, 'bad']
      : ['upstream', asked > 0 ? 'answers' : 'idle', asked > 0 ? 'good' : ''],
    ['failures since the start', `${sum(samples, 'upstream_failures_total')}`],
    ['connections in use', `${sum(samples, 'upstream_sockets', ({ state }) => state === 'in_use')}`],
    ['waiting for one', `${sum(samples, 'upstream_sockets', ({ state }) => state === 'pending')}`],
  ]
  const keyrings = new Set(all(samples, 'kms_calls_total').map(({ labels }) => labels.keyring))
  for (const keyring of keyrings) {
    const of =
      (outcome) =>
      ({ labels }) =>
        labels.keyring === keyring && (labels.outcome === 'ok') === outcome
    const total = (list, outcome) =>
      all(list, 'kms_calls_total')
        .filter(of(outcome))
        .reduce((n, { value }) => n + value, 0)
    const bad = total(samples, false) - total(then, false)
    rows.push([
      `KMS (${keyring})`,
      bad > 0 ? `${bad} calls failed just now` : `${total(samples, true)} calls, ${total(samples, false)} failed`,
      bad > 0 ? 'bad' : 'good',
    ])
  }
  if (keyrings.size === 0) rows.push(['KMS', 'not used'])
  const hits = sum(samples, 'remembered_look_ups_total', ({ result }) => result === 'hit')
  const looks = sum(samples, 'remembered_look_ups_total')
  rows.push(['keys remembered', looks === 0 ? '–' : `${Math.round((100 * hits) / looks)} %`])
  terms('health', rows)
}

function keyVersions(samples, now) {
  const created = (labels) =>
    all(samples, 'key_version_created_seconds').find(
      (one) => one.labels.keyring === labels.keyring && one.labels.key_version === labels.key_version,
    )?.value
  const rows = all(samples, 'key_version_info').map(({ labels }) => {
    const at = created(labels)
    const active = labels.active === 'true'
    const age = at === undefined ? '' : `, ${span(now - at)} old`
    return [`${labels.keyring} ${labels.key_version}`, `${active ? 'active' : 'reads'}${age}`, active ? 'good' : '']
  })
  terms('keys', rows)
}

function refusals(list) {
  const shown = list.map((one) => {
    const item = make('li')
    const what = [one.operation, one.bucket && `${one.bucket}${one.objectKey ? `/${one.objectKey}` : ''}`]
      .filter(Boolean)
      .join(' ')
    item.append(
      make('b', `${one.status} ${one.errorCode ?? one.outcome}`, one.status >= 500 ? 'bad' : 'warn'),
      ` ${what}`,
    )
    const who = one.identity ?? one.clientAddress
    item.append(make('small', `${new Date(one.time).toLocaleTimeString()} · ${who} · ${one.stage} · ${one.requestId}`))
    if (one.reason) item.append(make('small', one.reason))
    return item
  })
  byId('refusals').replaceChildren(...(shown.length === 0 ? [make('li', 'None since the start.')] : shown))
}

async function look() {
  const text = await (await fetch('metrics')).text()
  const status = await (await fetch('status.json')).json()
  const at = performance.now()
  const now = Date.now() / 1000
  const samples = parse(text)
  const then = before ?? { at: at - EVERY_MS, samples }
  const over = (at - then.at) / 1000
  const rate = (name, fits) => Math.max(0, sum(samples, name, fits) - sum(then.samples, name, fits)) / over
  const failed = (labels) => labels.outcome !== 'complete' && labels.outcome !== 'client-gone'

  byId('version').textContent = status.version
  byId('state').textContent = status.ready ? 'ready' : 'not ready'
  byId('state').className = `pill ${status.ready ? 'good' : 'bad'}`
  byId('uptime').textContent = `up ${span(status.uptimeSeconds)}`
  const requests = rate('requests_total')
  points.push(requests)
  if (points.length > MOST_POINTS) points.shift()
  const failing = rate('requests_total', failed)
  const wanted = sum(samples, 'workers', ({ state }) => state === 'wanted')
  const answered = sum(samples, 'workers', ({ state }) => state === 'answered')
  tiles([
    [requests.toFixed(requests < 10 ? 1 : 0), 'requests a second'],
    [failing.toFixed(1), 'failed a second', failing > 0 ? 'warn' : ''],
    [`${sum(samples, 'requests_in_flight')}`, 'running'],
    [seconds(quantile(samples, then.samples, 'first_byte_seconds', 0.5)), 'first byte, median'],
    [seconds(quantile(samples, then.samples, 'first_byte_seconds', 0.95)), 'first byte, 95 %'],
    [seconds(quantile(samples, then.samples, 'request_duration_seconds', 0.95)), 'whole request, 95 %'],
    [`${bytes(rate('received_bytes_total'))}/s`, 'from clients'],
    [`${bytes(rate('sent_bytes_total'))}/s`, 'to clients'],
    [`${answered}/${wanted}`, 'processes', answered < wanted ? 'bad' : ''],
  ])
  draw()
  alarms(samples, now)
  health(samples, then.samples)
  terms(
    'certificates',
    all(samples, 'tls_certificate_not_after_seconds').map(({ labels, value }) => {
      const left = value - now
      return [labels.listener, left < 0 ? 'expired' : `${span(left)} left`, left < 14 * DAY ? 'bad' : 'good']
    }),
  )
  keyVersions(samples, now)
  refusals(status.failed)
  byId('seen').textContent = `as of ${new Date().toLocaleTimeString()}`
  before = { at, samples }
}

async function go() {
  try {
    await look()
  } catch {
    byId('state').textContent = 'no answer'
    byId('state').className = 'pill bad'
  }
  // Rates need two looks: the second one comes soon.
  setTimeout(go, points.length < 2 ? 1000 : EVERY_MS)
}
void go()
