import { printable } from '../s3/printable.js'
import type { JournalSubject } from '../rekey/journal.js'
import { SKIPS, skippedIn, type Skip } from '../rekey/outcome.js'
import type { Remains } from '../rekey/remains.js'
import type { RekeyResult } from '../rekey/options.js'

export interface RekeySummary {
  readonly subject: JournalSubject
  readonly dryRun: boolean
  readonly result: RekeyResult
  readonly remains: Remains | 'not looked at'
  /** of this run */
  readonly requests: number
  readonly seconds: number
}

const SHOWN_FAILURES = 20

/** For programs. `listed` is the sum of `moved`, `already`, `changed`, `skipped` and `failed`. */
export function jsonSummary({ subject, dryRun, result, remains, requests, seconds }: RekeySummary): string {
  const { counts, end, failures } = result
  const { skipped, bytes, ...others } = counts
  const why = Object.fromEntries(Object.entries(skipped).filter(([, objects]) => objects > 0))
  return `${JSON.stringify(
    {
      ...subject,
      dryRun,
      end: typeof end === 'string' ? end : 'stopped',
      ...(typeof end === 'string' ? {} : { reason: end.stopped }),
      ...others,
      skipped: skippedIn(counts),
      movedBytes: bytes,
      skippedBecause: why,
      failures: [...failures].map(([objectKey, reason]) => ({ objectKey, reason })),
      ...(remains === 'not looked at' ? {} : { remains }),
      requests,
      seconds: Math.round(seconds * 10) / 10,
    },
    null,
    2,
  )}\n`
}

/** For people. Object keys are written as JSON strings: they may hold anything, and a terminal obeys some of it. */
export function textSummary({ subject, dryRun, result, remains, requests, seconds }: RekeySummary): string {
  const { command, bucket, prefix, targets } = subject
  const { counts, end, failures } = result
  const already = command === 'rekey' ? 'already under the active key version' : 'already encrypted'
  const rows: readonly (readonly [number, string])[] = [
    [
      counts.moved,
      `${dryRun ? 'to be ' : ''}${command === 'rekey' ? 'moved' : 'encrypted'} (${inBytes(counts.bytes)})`,
    ],
    [counts.already, already],
    [counts.changed, 'written or deleted by clients meanwhile, and left as they are'],
    ...Object.entries(counts.skipped).map(([why, objects]) => [objects, `skipped: ${SKIPS[why as Skip]}`] as const),
    [counts.failed, 'failed'],
  ]
  const width = String(counts.listed).length
  const line = (objects: number, text: string) => `  ${String(objects).padStart(width)} ${text}`
  const told = [...failures].slice(0, SHOWN_FAILURES).map(([key, reason]) => `  ${JSON.stringify(key)}: ${reason}`)
  const more = failures.size > SHOWN_FAILURES ? [`  and ${failures.size - SHOWN_FAILURES} more (--json lists all)`] : []
  return printable(
    [
      `${command} ${JSON.stringify(`s3://${bucket}/${prefix}`)} to ${targets.join(', ')}${dryRun ? ' (dry run, nothing was changed)' : ''}`,
      line(counts.listed, 'objects listed'),
      ...rows.filter(([objects], i) => objects > 0 || i === 0).map(([objects, text]) => line(objects, text)),
      ...(told.length === 0 ? [] : ['Failed:', ...told, ...more]),
      ...(remains === 'not looked at' ? [] : remainsInWords(remains, command)),
      ...(end === 'interrupted' ? ['Interrupted before the end.'] : []),
      ...(typeof end === 'string' ? [] : [`Stopped: ${end.stopped}`]),
      `${requests} requests in ${seconds.toFixed(1)} s`,
      '',
    ].join('\n'),
  )
}

function remainsInWords({ versioning, uploads, oldVersions }: Remains, command: string): readonly string[] {
  const lines: string[] = []
  if (uploads === 'unknown')
    lines.push('Multipart uploads could not be listed; one that is open ends with its older key version.')
  else if (uploads > 0) {
    lines.push(
      `${uploads} multipart uploads are open; they end with the key version that they began with. Run this again afterwards.`,
    )
  }
  if (oldVersions !== 'not looked at') {
    for (const [key, objects] of Object.entries(oldVersions))
      lines.push(`Older versions of objects: ${objects} need ${key}.`)
    if (Object.keys(oldVersions).length === 0) lines.push('There are no older versions of objects.')
  } else if (versioning === 'Enabled' || versioning === 'Suspended') {
    lines.push(
      `The bucket keeps older versions of objects, ${command === 'rekey' ? 'which still need the older key versions' : 'which are as they were'} ` +
        '(--versions counts them). A lifecycle rule with NoncurrentVersionExpiration lets them go.',
    )
  }
  return lines
}

function inBytes(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`
  }
  return `${bytes} bytes`
}
