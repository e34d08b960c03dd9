#!/usr/bin/env node
// helm-manifests.mjs HELM: writes helm/manifests, the chart rendered for those who have no Helm. HELM is the program.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const CHART = fileURLToPath(new URL('../helm/', import.meta.url))
/** What the schemas of the tests are for is newer; the chart must do with the oldest that it says. */
const OLDEST = /kubeVersion: '>=([0-9.]+)/.exec(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))[1]

const ABOUT = {
  'deployment.yaml': `Replicas behind a Service, as the chart makes them with helm/ci/minimal.yaml. Change the configuration, the image and
# the names of the Secrets (keyring files; secrets of identities; certificate), and make those Secrets first.`,
  'daemonset.yaml': `A proxy on each node, as the chart makes it with helm/ci/daemonset.yaml. Change the configuration, the image and the
# names of the Secrets (keyring files; secrets of identities and upstream; certificate), and make those Secrets first.`,
  'sidecar.yaml': `The proxy as a native sidecar in the pods of a program, as helm/ci/consumer makes it by the chart's templates. The ConfigMap
# is the proxy's configuration; the Secrets hold the keyring file, and the access key for the way between program and proxy.`,
}

/** `helm template` of the chart, or of another one that has it as a dependency. */
export function render(helm, chart, release, args = []) {
  return execFileSync(helm, ['template', release, chart, '--kube-version', OLDEST, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString()
}

/** Runs `use` on a copy of helm/ci/consumer that has the chart where Helm looks for dependencies. */
export function withConsumer(use) {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-chart-'))
  try {
    cpSync(join(CHART, 'ci/consumer'), folder, { recursive: true })
    mkdirSync(join(folder, 'charts'))
    cpSync(CHART, join(folder, 'charts/ssec-proxy'), { recursive: true })
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Name → text of each manifest. */
export function manifests(helm) {
  const scenario = (name) =>
    render(helm, CHART, 'ssec-proxy', ['--skip-tests', '--values', join(CHART, `ci/${name}.yaml`)])
  const rendered = {
    'deployment.yaml': scenario('minimal'),
    'daemonset.yaml': scenario('daemonset'),
    'sidecar.yaml': withConsumer((folder) => render(helm, folder, 'documents')),
  }
  const plain = (text) =>
    text.replace(/^ *(?:app\.kubernetes\.io\/managed-by|helm\.sh\/chart): .*\n/gm, '').replace(/^# Source: .*\n/gm, '')
  return Object.fromEntries(Object.entries(rendered).map(([name, text]) => [name, `# ${ABOUT[name]}\n${plain(text)}`]))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , helm] = process.argv
  if (helm === undefined) throw new Error('usage: helm-manifests.mjs HELM')
  for (const [name, text] of Object.entries(manifests(helm))) writeFileSync(join(CHART, 'manifests', name), text)
}
