import { join } from 'node:path'
import type { Test } from 'tap'
import type { Installation, RunningProxy } from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import { atRestProblems } from './at-rest.js'
import type { Recorder } from './attempts.js'
import type { Access } from './clients/client.js'
import type { Exercise } from './exercise.js'
import { keepResults, type Result, type ResultStep } from './report.js'
import type { ClientRun } from './run-clients.js'
import { accessFor, type Setting } from './settings.js'
import type { UpstreamView } from './upstream-view.js'

export const bucketOf = (name: string, setting: Setting): string =>
  `${name}-${setting}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')

/** Of the same work without the proxy. */
export const directly = (bucket: string): string => `${bucket}-directly`

/** Where one run of clients takes place. */
export interface Stage {
  readonly upstream: S3Server
  readonly etag: ClientRun['etag']
  readonly writes?: ClientRun['writes']

  readonly installation: Installation
  readonly proxy: RunningProxy
  readonly view: UpstreamView
  readonly results: Result[]
}

export interface Doing {
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
export async function compared(
  t: Test,
  stage: Stage,
  doing: Doing,
  exercise: (way: Way) => Promise<void>,
): Promise<void> {
  const { upstream, etag, view, installation, proxy } = stage
  const bucket = bucketOf(doing.name, doing.setting)
  const title = `${upstream.name}, etag: ${etag}`
  const written = new Map<ResultStep, readonly string[]>()
  const note = (t: Test, where: string, step: ResultStep, outcome: Result['outcome']): void => {
    const { name: client, version, heading: setting } = doing
    const result = { upstream: where, client, version, setting, step, outcome }
    stage.results.push(result)
    keepResults([result])
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
