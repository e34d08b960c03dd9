import type { Test } from 'tap'
import { runWell } from '../support/run-program.js'
import { makeInstallation, removeInstallation, startProxy } from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import type { BackupTool } from './backups/backup-tool.js'
import { exerciseBackups } from './backups/exercise.js'
import type { Access, Client, Limits } from './clients/client.js'
import { bucketOf, compared, directly, type Stage } from './compared.js'
import { exerciseClient } from './exercise.js'
import { formatTables } from './report.js'
import type { Setting } from './settings.js'
import { viewOf } from './upstream-view.js'

export interface ClientRun {
  readonly upstream: S3Server
  readonly etag: 'opaque' | 'passthrough' | 'md5'
  /** What no client can do there. */
  readonly upstreamLimits: Limits
  /** The first setting is the whole exercise, unless `extent` says that none is. */
  readonly clients: readonly {
    readonly client: Client
    readonly settings: readonly Setting[]
    readonly limits?: Limits
    readonly extent?: 'short'
  }[]
  readonly backups?: readonly BackupTool[]
  /**
   * What was asked to be written at the upstream since the last call. Where it is known, each client also works without
   * the proxy, on plain objects whose ETags are MD5s: there it must be able to do the same, with the same writes.
   */
  readonly writes?: () => readonly string[]
}

/** Every client in each of its settings through one proxy, each with a bucket of its own. */
export async function runClients(t: Test, run: ClientRun): Promise<void> {
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const view = viewOf(run.upstream)
  const buckets = [
    ...run.clients.flatMap(({ client, settings }) => settings.map((setting) => bucketOf(client.name, setting))),
    ...(run.backups ?? []).map(({ name }) => bucketOf(name, 'https, path')),
  ]
  for (const bucket of buckets) {
    await view.makeBucket(bucket)
    if (run.writes !== undefined) await view.makeBucket(directly(bucket))
  }
  const proxy = await startProxy(installation, {
    upstream: run.upstream,
    name: run.upstream.name,
    ...(run.etag === 'md5' ? { md5Buckets: buckets } : { etag: run.etag }),
  })
  const stage: Stage = { ...run, installation, proxy, view, results: [] }
  for (const { client, settings, limits, extent } of run.clients) {
    const missing = client.missing?.()
    if (missing !== undefined) {
      if (process.env['CI'] === undefined) t.pass(client.name, { skip: missing })
      else t.fail(`${client.name}: ${missing}`)
      continue
    }
    const version = await client.version()
    for (const [index, setting] of settings.filter((setting) => suits(client, setting)).entries()) {
      const whole = index === 0 && extent === undefined
      const own = { name: client.name, version, signatures: client.signatures ?? 'v4' } as const
      await compared(t, stage, { ...own, setting, heading: setting, alone: whole }, async (way) => {
        const expected =
          way.type === 'proxy' ? { ...run.upstreamLimits, ...limits, ...insistence(run, client) } : client.withoutProxy
        await exerciseClient({
          ...way,
          client,
          limits: { ...expected, ...client.limits },
          extent: whole ? 'whole' : 'short',
          fetch: async (url) => (await runWell('/usr/bin/curl', curlArguments(url, way.access))).stdout,
        })
      })
    }
  }
  for (const tool of run.backups ?? []) {
    const setting = 'https, path'
    const own = { name: tool.name, version: await tool.version(), signatures: tool.signatures ?? 'v4' } as const
    await compared(t, stage, { ...own, setting, heading: 'https, path: backups', alone: true }, (way) =>
      exerciseBackups({ ...way, tool }),
    )
  }
  stage.view.close()
  t.comment(`\n${formatTables(stage.results)}`)
  await t.resolves(proxy.stop(), 'the proxy ends with exit code 0')
}

const suits = ({ styles }: Client, setting: Setting): boolean =>
  styles.includes(setting === 'https, virtual-hosted' ? 'virtual-hosted' : 'path')

const insistence = ({ etag }: ClientRun, { insists = {} }: Client): Limits => (etag === 'opaque' ? insists : {})

/** curl resolves *.localhost by itself, and any other name as it is told. */
const curlArguments = (url: string, { caFile }: Access): string[] => [
  ...['--silent', '--show-error', '--fail', '--path-as-is', '--cacert', caFile],
  ...['--resolve', `${new URL(url).hostname}:${new URL(url).port}:127.0.0.1`, url],
]
