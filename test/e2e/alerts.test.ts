// The chart's alerts and its dashboard, as Prometheus' own tool reads them.
// what is parsed is looked at as it comes
/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { render } from '../../scripts/helm-manifests.mjs'
import { type Manifest, parseManifests } from '../support/manifests.js'
import { run } from '../support/run-program.js'

const CHART = fileURLToPath(new URL('../../helm/', import.meta.url))
const HELM = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ssec-proxy-test', 'helm')
const PROMTOOL = fileURLToPath(new URL('../../node_modules/.cache/ssec-proxy-e2e/promtool', import.meta.url))

/** Runs promtool on files that it names. */
async function promtool(t: Test, args: readonly string[], files: Readonly<Record<string, object>>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-rules-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), stringify(content))
    const { code, stdout, stderr } = await run(PROMTOOL, args, { cwd: folder })
    t.equal(code, 0, `${stdout.toString()}${stderr}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function rules(): Manifest {
  const objects = parseManifests(render(HELM, CHART, 'release', ['--values', join(CHART, 'ci/everything.yaml')]))
  return objects.find(({ kind }) => kind === 'PrometheusRule').spec
}

/** One alert: what is measured, and when it has to be there, or not. */
interface Case {
  readonly alert: string
  readonly series: readonly (readonly [series: string, values: string])[]
  readonly fires: string | 'never'
}

const pod = 'namespace="storage",pod="s3-0"'
const cases: readonly Case[] = [
  {
    alert: 'SsecProxyEncryptionUnproven',
    series: [[`ssec_proxy_encryption_unproven_total{${pod}}`, '0x10 1x30']],
    fires: '12m',
  },
  {
    alert: 'SsecProxyEncryptionUnproven',
    series: [[`ssec_proxy_encryption_unproven_total{${pod}}`, '3x60']],
    fires: 'never',
  },
  {
    alert: 'SsecProxyKeyringRefused',
    series: [[`ssec_proxy_keyring_reload_failed{${pod},keyring="main"}`, '0x5 1x30']],
    fires: '15m',
  },
  {
    alert: 'SsecProxyCertificateExpires',
    series: [[`ssec_proxy_tls_certificate_not_after_seconds{${pod},listener="https :8443"}`, '600000x60']],
    fires: '30m',
  },
  {
    alert: 'SsecProxyCertificateExpires',
    series: [[`ssec_proxy_tls_certificate_not_after_seconds{${pod},listener="https :8443"}`, '700000x60']],
    fires: 'never',
  },
  {
    alert: 'SsecProxyServerErrors',
    series: [
      [`ssec_proxy_requests_total{${pod},status="200"}`, '0+90x60'],
      [`ssec_proxy_requests_total{${pod},status="503"}`, '0+10x60'],
    ],
    fires: '30m',
  },
  {
    alert: 'SsecProxyServerErrors',
    series: [
      [`ssec_proxy_requests_total{${pod},status="200"}`, '0+99x60'],
      [`ssec_proxy_requests_total{${pod},status="503"}`, '0+1x60'],
    ],
    fires: 'never',
  },
  {
    alert: 'SsecProxyWorkersMissing',
    series: [
      [`ssec_proxy_workers{${pod},state="wanted"}`, '2x60'],
      [`ssec_proxy_workers{${pod},state="answered"}`, '1x60'],
    ],
    fires: '10m',
  },
  {
    alert: 'SsecProxyKmsFails',
    series: [[`ssec_proxy_kms_calls_total{${pod},keyring="main",operation="Decrypt",outcome="denied"}`, '0+1x60']],
    fires: '30m',
  },
  {
    alert: 'SsecProxyKmsFails',
    series: [[`ssec_proxy_kms_calls_total{${pod},keyring="main",operation="Decrypt",outcome="ok"}`, '0+9x60']],
    fires: 'never',
  },
  {
    alert: 'SsecProxyAuditFails',
    series: [[`ssec_proxy_audit_failing{${pod}}`, '0x5 1x30']],
    fires: '15m',
  },
  {
    alert: 'SsecProxyKeyVersionIsOld',
    series: [
      [`ssec_proxy_key_version_created_seconds{${pod},keyring="main",key_version="v1"}`, '-31539600x120'],
      [`ssec_proxy_key_version_info{${pod},keyring="main",key_version="v1",active="true"}`, '1x120'],
    ],
    fires: '100m',
  },
  {
    alert: 'SsecProxyKeyVersionIsOld',
    series: [
      [`ssec_proxy_key_version_created_seconds{${pod},keyring="main",key_version="v1"}`, '-31539600x120'],
      [`ssec_proxy_key_version_info{${pod},keyring="main",key_version="v1",active="false"}`, '1x120'],
    ],
    fires: 'never',
  },
]

function theAlerts(): void {
  t.test('every alert and every panel is PromQL', async (t) => {
    await promtool(t, ['check', 'rules', 'rules.yaml'], { 'rules.yaml': rules() })
    const dashboard = readFileSync(join(CHART, 'dashboards/ssec-proxy.json'), 'utf8')
    const asked = [...dashboard.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(
      ([, text = '']) => JSON.parse(text) as string,
    )
    t.ok(asked.length > 30, 'panels were found')
    const recorded = asked.map((expr, i) => ({
      record: `panel_${i}`,
      expr: expr
        .replaceAll('$__rate_interval', '5m')
        .replaceAll('$__range', '1h')
        .replaceAll(/\$(?:namespace|pod)/g, '.*'),
    }))
    await promtool(t, ['check', 'rules', 'panels.yaml'], {
      'panels.yaml': { groups: [{ name: 'panels', rules: recorded }] },
    })
  })

  t.test('alerts fire when they have to, and only then', async (t) => {
    const known = rules().groups[0].rules.map(({ alert }: Manifest) => alert)
    for (const { alert, series, fires } of cases) {
      t.ok(known.includes(alert), alert)
      const test = {
        interval: '1m',
        input_series: series.map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
            eval_time: fires === 'never' ? '60m' : fires,
            exp_samples: [{ labels: '{}', value: fires === 'never' ? 0 : 1 }],
          },
        ],
      }
      await promtool(t, ['test', 'rules', 'tests.yaml'], {
        'rules.yaml': rules(),
        'tests.yaml': { rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] },
      })
    }
  })
}

const missing = [HELM, PROMTOOL].filter((file) => !existsSync(file)).map((file) => file.replace(/^.*\//, ''))
if (missing.length === 0) theAlerts()
else t.pass('the alerts', { skip: `there is no ${missing.join(', no ')}: scripts/e2e-programs fetches them` })
