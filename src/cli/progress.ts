import cliProgress, { type Options, type Params } from 'cli-progress'

export interface ProgressBar {
  /** What there will be in all, when that is known. */
  total(value: number): void
  done(value: number): void
  stop(): void
}

export interface ProgressOptions {
  /** `none`, or a stream that is no terminal: a plain line on stderr now and then. */
  readonly terminal: NodeJS.WriteStream | 'none'
  readonly stderr: (text: string) => void
  readonly title: string
  /** Done by earlier runs: no part of the rate. */
  readonly before: number
  /** milliseconds, never going back */
  readonly monotonic: () => number
}

const PLAIN_EVERY_MS = 10_000

/** A bar with rate and time to go, or lines where nobody could see a bar. */
export function openProgress(options: ProgressOptions): ProgressBar {
  const { terminal, stderr, title, before, monotonic } = options
  const started = monotonic()
  let total: number | 'unknown' = 'unknown'
  let value = before
  const words = (): string => {
    const seconds = (monotonic() - started) / 1000
    const rate = seconds > 0 ? (value - before) / seconds : 0
    if (total === 'unknown') return `${value} objects, ${rate.toFixed(0)}/s, still counting`
    const left = rate > 0 ? duration((total - value) / rate) : 'unknown'
    return `${value} of ${total} objects, ${rate.toFixed(0)}/s, ${left} to go`
  }
  if (terminal === 'none' || !terminal.isTTY) {
    const timer = setInterval(() => stderr(`${title}: ${words()}\n`), PLAIN_EVERY_MS)
    timer.unref()
    return {
      total: (objects) => (total = objects),
      done: (objects) => (value = objects),
      stop: () => clearInterval(timer),
    }
  }
  const bar = new cliProgress.SingleBar({
    stream: terminal,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    fps: 5,
    format: (drawn: Options, { progress }: Params) =>
      `${title} ${total === 'unknown' ? '' : `${cliProgress.Format.BarFormat(progress, drawn)} `}${words()}`,
    barCompleteChar: '=',
    barIncompleteChar: '-',
  })
  bar.start(1, 0)
  return {
    total: (objects) => {
      total = objects
      bar.setTotal(Math.max(objects, 1))
    },
    done: (objects) => {
      value = objects
      bar.update(total === 'unknown' ? 0 : objects)
    },
    stop: () => bar.stop(),
  }
}

/** `2h05m`, `3m20s`, `12s` */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
  if (hours > 0) return `${hours}h${String(minutes).padStart(2, '0')}m`
  return minutes > 0 ? `${minutes}m${String(rest).padStart(2, '0')}s` : `${rest}s`
}
