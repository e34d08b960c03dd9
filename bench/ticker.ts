// A thread that sleeps and says when the next request is due. Node's own timers know whole milliseconds only, and a loop that
// looks at the clock all the time would take a processor from what is measured.
import { parentPort, workerData } from 'node:worker_threads'

const { intervalMs } = workerData as { readonly intervalMs: number }
const nobody = new Int32Array(new SharedArrayBuffer(4))

const start = performance.now()
for (let tick = 1; ; tick++) {
  const wait = start + tick * intervalMs - performance.now()
  if (wait > 0) Atomics.wait(nobody, 0, 0, wait)
  else tick = Math.floor((performance.now() - start) / intervalMs)
  // by the clock of all threads: when this tick was due
  parentPort?.postMessage(performance.timeOrigin + start + tick * intervalMs)
}
