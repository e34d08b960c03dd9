/** What gathered-lines.test.ts runs: writes lines to its standard output and ends as its argument says. */
import { createLogger, standardOutput } from '../../src/telemetry/logger.js'
import cluster from 'node:cluster'

const log = createLogger({ level: 'info', destination: standardOutput() })
let written = 0
const line = (level: 'info' | 'warn') => {
  const json = `{"n":${written}}`
  log.writeLine(level, json, json.length)
}
const lines = (count: number) => {
  for (const last = written + count; written < last; written++) line('info')
}
const killed = () => process.kill(process.pid, 'SIGKILL')

switch (process.argv[2] ?? '') {
  case 'returns':
    lines(20)
    break
  case 'exits':
    lines(20)
    process.exit(3)
    break
  case 'throws':
    lines(20)
    throw new Error('a fault of ours')
  case 'rejects':
    void Promise.reject(new Error('a fault of ours'))
    lines(20)
    break
  case 'warns':
    lines(19)
    line('warn')
    killed()
    break
  case 'tells':
    lines(19)
    log.info({ n: 19 }, 'as any other line')
    killed()
    break
  case 'is killed a turn later':
    lines(20)
    setImmediate(() => {
      lines(5)
      killed()
    })
    break
  case 'loses its primary':
    if (cluster.isPrimary) cluster.fork().once('message', killed)
    else {
      cluster.worker?.once('disconnect', () => lines(20))
      process.send?.('here')
    }
    break
  default:
    throw new Error('no such end')
}
