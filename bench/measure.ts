import { GIB } from './content.js'
import type { LoadJob } from './load-job.js'
import { cpuSecondsOf, machineBusySeconds } from './proc.js'
import { makeLoad } from './make-load.js'

/** A process whose time is counted; `none` where nothing stands between client and S3. */
export type MeasuredProcess = { readonly pid: number } | 'none'

/** One window of one load. Times are CPU times unless they are called otherwise. */
export interface Measured {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mbPerSecond: number
  readonly hopCpuMsPerRequest: number
  readonly hopCpuSecondsPerGib: number
  /** Hop, S3 stand-in and client together. */
  readonly allCpuMsPerRequest: number
  readonly allCpuSecondsPerGib: number
  /** Share of one processor that each took. */
  readonly hopBusy: number
  readonly s3Busy: number
  readonly clientBusy: number
  /** Processors that others on the machine kept busy meanwhile. */
  readonly othersBusy: number
}

export async function measure(job: LoadJob, hop: MeasuredProcess, s3Pid: number): Promise<Measured> {
  const look = () => ({
    hop: hop === 'none' ? 0 : cpuSecondsOf(hop.pid),
    s3: cpuSecondsOf(s3Pid),
    machine: machineBusySeconds(),
  })
  let before = look()
  const result = await makeLoad(job, () => (before = look()))
  const after = look()
  const hopCpu = after.hop - before.hop
  const s3Cpu = after.s3 - before.s3
  const allCpu = hopCpu + s3Cpu + result.cpuSeconds
  const seconds = result.ms / 1000
  const { requests, bytes, p50Ms, p99Ms } = result
  return {
    requests,
    requestsPerSecond: requests / seconds,
    p50Ms,
    p99Ms,
    mbPerSecond: bytes / 1e6 / seconds,
    hopCpuMsPerRequest: (hopCpu * 1000) / requests,
    hopCpuSecondsPerGib: hopCpu / (bytes / GIB),
    allCpuMsPerRequest: (allCpu * 1000) / requests,
    allCpuSecondsPerGib: allCpu / (bytes / GIB),
    hopBusy: hopCpu / seconds,
    s3Busy: s3Cpu / seconds,
    clientBusy: result.cpuSeconds / seconds,
    othersBusy: Math.max(0, (after.machine - before.machine - allCpu) / seconds),
  }
}

/** The median of each number over several windows. */
export function median(windows: readonly Measured[]): Measured {
  const names = Object.keys(windows[0]!) as (keyof Measured)[]
  const of = (name: keyof Measured): number => middle(windows.map((window) => window[name]))
  return Object.fromEntries(names.map((name) => [name, of(name)])) as unknown as Measured
}

/** The median. */
export function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
