import type { UpstreamAccess } from '../maintenance/access.js'
import { forEachBounded } from '../maintenance/bounded.js'
import { MaintenanceError } from '../maintenance/error.js'
import { listObjects, type Page } from '../maintenance/list.js'
import { type Bucket, type ObjectKey, parseObjectKey } from '../s3/names.js'
import type { Journal } from './journal.js'
import { moveObject } from './move-object.js'
import { abortUpload, STOPPED } from './multipart-copy.js'
import type { RekeyOptions, RekeyResult, RekeyWorld } from './options.js'
import { count, type Counts, type Outcome } from './outcome.js'
import { prepare } from './prepare.js'

/**
 * Goes through the objects of a bucket and prefix and moves them, the first one alone, then several at a time. What has
 * an outcome is in the journal, and is not looked at again by a later run.
 *
 * @throws MaintenanceError where the run cannot even begin
 */
export async function runRekey(
  access: UpstreamAccess,
  options: RekeyOptions,
  journal: Journal,
  world: RekeyWorld,
): Promise<RekeyResult> {
  const { bucket, prefix, concurrency, maxFailures } = options
  const counts = journal.before.counts
  const failures = new Map(journal.before.failed)
  let stopped: string | 'no' = 'no'
  let failuresNow = 0
  const isStopping = (): boolean => stopped !== 'no' || world.isStopping()
  const settings = await prepare(access, options, journal, { ...world, isStopping })
  const counting = countAhead(access, options, journal, world, isStopping)

  const handle = async (objectKey: ObjectKey): Promise<Outcome | 'not begun'> => {
    if (isStopping()) return 'not begun'
    const outcome = await moveObject(access, objectKey, settings)
    if (outcome.type === 'superseded') {
      stopped = `key version ${outcome.by} became active meanwhile; run this again, with another journal`
      return 'not begun'
    }
    if (outcome.type !== 'failed') {
      failures.delete(objectKey)
      return outcome
    }
    if (outcome.reason === STOPPED) return 'not begun'
    failures.set(objectKey, outcome.reason)
    failuresNow += 1
    if (outcome.stop) stopped = `${JSON.stringify(objectKey)}: ${outcome.reason}`
    else if (failuresNow >= maxFailures)
      stopped = `${maxFailures} objects have failed, the last one ${JSON.stringify(objectKey)}: ${outcome.reason}`
    return outcome
  }

  const pages = pageWindow(journal)
  const first = gate()
  const work = async ({ objectKey, page }: Item): Promise<void> => {
    const isFirst = await first.enter()
    try {
      const outcome = await handle(objectKey)
      if (outcome === 'not begun') return
      counts.listed += 1
      count(counts, outcome)
      journal.outcome(page, objectKey, outcome)
      pages.objectDone(page)
      world.progress.done(counts)
    } finally {
      if (isFirst) first.open()
    }
  }

  let end: RekeyResult['end'] = 'done'
  try {
    if (!journal.before.isListed) {
      const items = itemsOf(listObjects(access, bucket, prefix, journal.before.after), journal, pages, isStopping)
      await forEachBounded(items, concurrency, work)
      if (!isStopping()) journal.listed()
    }
    await retryFailed(journal, concurrency, handle, counts, world)
    if (!isStopping()) await abandonUploads(access, bucket, journal)
  } catch (error) {
    if (!(error instanceof MaintenanceError)) throw error
    stopped = error.message
  }
  if (stopped !== 'no') end = { stopped }
  else if (world.isStopping()) end = 'interrupted'
  await counting
  return { counts, failures, end }
}

interface Item {
  readonly objectKey: ObjectKey
  readonly page: number
}

async function* itemsOf(
  pages: AsyncIterable<Page<{ readonly objectKey: ObjectKey }>>,
  journal: Journal,
  window: ReturnType<typeof pageWindow>,
  isStopping: () => boolean,
): AsyncGenerator<Item> {
  let page = journal.before.page
  for await (const { entries, last } of pages) {
    page += 1
    const left = entries.filter(({ objectKey }) => !journal.before.since.has(objectKey))
    window.begin(page, left.length, last)
    for (const { objectKey } of left) {
      if (isStopping()) return
      yield { objectKey, page }
    }
  }
}

/** Pages are done in their order: one is only when all before it are. */
function pageWindow(journal: Journal) {
  const open: { readonly page: number; left: number; readonly last: string }[] = []
  const settle = (): void => {
    for (let [next] = open; next?.left === 0; [next] = open) {
      journal.pageDone(next.page, next.last)
      open.shift()
    }
  }
  return {
    begin: (page: number, left: number, last: string): void => {
      open.push({ page, left, last })
      settle()
    },
    objectDone: (page: number): void => {
      const at = open.find((one) => one.page === page)
      if (at !== undefined) at.left -= 1
      settle()
    },
  }
}

/** The first comer goes in, the others wait until it opens. */
function gate(): { enter(): Promise<boolean>; open(): void } {
  let isTaken = false
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return {
    enter: async () => {
      const isFirst = !isTaken
      isTaken = true
      if (!isFirst) await opened
      return isFirst
    },
    open: () => open(),
  }
}

/** What earlier runs could not do gets a second chance, after everything else. */
async function retryFailed(
  journal: Journal,
  concurrency: number,
  handle: (objectKey: ObjectKey) => Promise<Outcome | 'not begun'>,
  counts: Counts,
  { progress }: RekeyWorld,
): Promise<void> {
  const keys = [...journal.before.failed.keys()].map(parseObjectKey)
  await forEachBounded(keys, concurrency, async (objectKey) => {
    const outcome = await handle(objectKey)
    if (outcome === 'not begun') return
    counts.failed -= 1
    count(counts, outcome)
    journal.outcome(journal.before.page, objectKey, outcome)
    progress.done(counts)
  })
}

/** Of objects that are gone, or that a client has written anew: nobody will go on with these. */
async function abandonUploads(access: UpstreamAccess, bucket: Bucket, journal: Journal): Promise<void> {
  for (const [objectKey, { uploadId }] of [...journal.uploads]) {
    await abortUpload(access, { bucket, objectKey: parseObjectKey(objectKey) }, uploadId)
    journal.over(objectKey)
  }
}

/** Reads the list to its end beside the work, so that there is a total to tell; a list that fails tells none. */
async function countAhead(
  access: UpstreamAccess,
  { bucket, prefix }: RekeyOptions,
  { before }: Journal,
  { progress }: RekeyWorld,
  isStopping: () => boolean,
): Promise<void> {
  if (before.isListed) {
    progress.total(before.counts.listed)
    return
  }
  let total = before.counts.listed
  try {
    for await (const { entries } of listObjects(access, bucket, prefix, before.after)) {
      total += entries.filter(({ objectKey }) => !before.since.has(objectKey)).length
      if (isStopping()) return
    }
    progress.total(total)
  } catch (error) {
    if (!(error instanceof MaintenanceError)) throw error
  }
}
