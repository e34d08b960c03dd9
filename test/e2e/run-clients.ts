import { join } from 'node:path'
import type { Test } from 'tap'
import { runWell } from '../support/run-program.js'
import {
  makeInstallation,
  removeInstallation,
  startProxy,
  type Installation,
  type RunningProxy,
} from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import { atRestProblems } from './at-rest.js'
import type { Recorder } from './attempts.js'
import type { BackupTool } from './backups/backup-tool.js'
import { exerciseBackups } from './backups/exercise.js'
import type { Access, Client, Limits } from './clients/client.js'
import { exerciseClient, type Exercise } from './exercise.js'
import { formatTables, keepResults, type Result, type ResultStep } from './report.js'
import { accessFor, type Setting } from './settings.js'
import { viewOf, type UpstreamView } from './upstream-view.js'

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
  keepResults(stage.results)
  t.comment(`\n${formatTables(stage.results)}`)
  await t.resolves(proxy.stop(), 'the proxy ends with exit code 0')
}

const bucketOf = (name: string, setting: Setting): string =>
  `${name}-${setting}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')

const directly = (bucket: string): string => `${bucket}-directly`

const suits = ({ styles }: Client, setting: Setting): boolean =>
  styles.includes(setting === 'https, virtual-hosted' ? 'virtual-hosted' : 'path')

const insistence = ({ etag }: ClientRun, { insists = {} }: Client): Limits => (etag === 'opaque' ? insists : {})

interface Stage extends ClientRun {
  readonly installation: Installation
  readonly proxy: RunningProxy
  readonly view: UpstreamView
  readonly results: Result[]
}

interface Doing {
  readonly name: string
  readonly version: string
  readonly signatures: 'v4' | 'v2'
  readonly setting: Setting
  /** The setting as the table has it. */
  readonly heading: string
  /** Whether to do it once more without the proxy. */
  readonly alone: boolean
}

/** What an exercise needs to know of the way to its bucket. */
export interface Way extends Pick<Exercise, 'access' | 'writes' | 'snapshot' | 'inspect' | 'record'> {
  readonly type: 'proxy' | 'direct'
}

/** Does something through the proxy, then without it, and compares what was written. */
async function compared(t: Test, stage: Stage, doing: Doing, exercise: (way: Way) => Promise<void>): Promise<void> {
  const { upstream, etag, view, installation, proxy } = stage
  const bucket = bucketOf(doing.name, doing.setting)
  const title = `${upstream.name}, etag: ${etag}`
  const written = new Map<ResultStep, readonly string[]>()
  const note = (t: Test, where: string, step: ResultStep, outcome: Result['outcome']): void => {
    stage.results.push({
      upstream: where,
      client: doing.name,
      version: doing.version,
      setting: doing.heading,
      step,
      outcome,
    })
    if (outcome.type === 'fails') t.fail(step, { error: outcome.error })
    else t.pass(outcome.type === 'works' ? step : `${step}: cannot be done: ${outcome.reason}`)
  }
  const snapshotOf = (name: string) => async () =>
    new Map((await view.list(name)).map(({ objectKey, written }) => [objectKey, written]))
  const writes = stage.writes ?? (() => [])
  await t.test(`${doing.name}, ${doing.setting}, ${title}`, async (t) => {
    await exercise({
      type: 'proxy',
      access: accessFor({ setting: doing.setting, bucket, installation, proxy, signatures: doing.signatures }),
      writes,
      snapshot: snapshotOf(bucket),
      inspect: async (expected) =>
        note(t, title, 'at rest', verdict(await atRestProblems({ view, bucket, expected, installation, proxy }))),
      record: (step, outcome, writes) => {
        note(t, title, step, outcome)
        if (outcome.type === 'works') written.set(step, writes)
      },
    })
  })
  if (!doing.alone || stage.writes === undefined) return
  await t.test(`${doing.name}, without the proxy`, async (t) => {
    const more: string[] = []
    const record: Recorder = (step, outcome, alone) => {
      note(t, `${upstream.name}, without the proxy`, step, outcome)
      const extra = beyond(written.get(step) ?? [], alone)
      if (extra.length > 0 && step !== 'delete') more.push(`${step}: ${extra.join(', ')}`)
    }
    await exercise({
      type: 'direct',
      access: { ...directAccess(upstream, installation, doing.setting), bucket: directly(bucket) },
      writes,
      snapshot: snapshotOf(directly(bucket)),
      inspect: async () => undefined,
      record,
    })
    note(t, title, 'same writes', verdict(more))
  })
}

const verdict = (problems: readonly string[]): Result['outcome'] =>
  problems.length === 0 ? { type: 'works' } : { type: 'fails', error: problems.join('; ') }

/** What of the one list is not in the other, each as often as it is more. */
function beyond(some: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return some.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

const directAccess = (
  { port, region, credentials, baseDomain }: S3Server,
  { folder }: Installation,
  setting: Setting,
): Omit<Access, 'bucket'> => ({
  scheme: 'https',
  port,
  ...(setting === 'https, virtual-hosted'
    ? { style: 'virtual-hosted', hostname: baseDomain }
    : { style: 'path', hostname: 'localhost' }),
  // startProxy has put it there
  caFile: join(folder, 'upstream-ca.crt'),
  region,
  ...credentials,
})

/** curl resolves *.localhost by itself, and any other name as it is told. */
const curlArguments = (url: string, { caFile }: Access): string[] => [
  ...['--silent', '--show-error', '--fail', '--path-as-is', '--cacert', caFile],
  ...['--resolve', `${new URL(url).hostname}:${new URL(url).port}:127.0.0.1`, url],
]
