import { readFileSync } from 'node:fs'
import t from 'tap'
import { goalTable, goalsOf, reached } from '../../bench/goals.js'
import { type Report, readReport } from '../../bench/report.js'

const OLD = new URL('../../bench/results/2026-11-25-node26.json', import.meta.url)

t.test('ratios of the lean pass to nginx, and whether they are what is wanted', async (t) => {
  const goals = goalsOf(readReport(readFileSync(OLD, 'utf8')))
  const small = goals.find(({ name }) => name === 'CPU per GET of 1 KiB : nginx')
  t.equal(small?.value.toFixed(2), '17.73')
  t.same(small?.goal, { type: 'at most', value: 2.5 })
  t.equal(small !== undefined && reached(small), false)
  t.ok(goals.some(({ name }) => name === 'CPU per GiB, GET 8 MiB : nginx'))
})

t.test('nothing is said of what was not measured', async (t) => {
  const nothing: Report = { ...readReport(readFileSync(OLD, 'utf8')), loads: [], memory: [], rekey: [] }
  t.same(goalsOf(nothing), [])
  t.same(goalTable(nothing), [])
})

t.test('a goal is reached at its bound', async (t) => {
  const goal = { name: '', unit: 'ms', remark: '' } as const
  t.ok(reached({ ...goal, value: 1, goal: { type: 'at most', value: 1 } }))
  t.notOk(reached({ ...goal, value: 1.01, goal: { type: 'at most', value: 1 } }))
  t.ok(reached({ ...goal, value: 1.8, goal: { type: 'at least', value: 1.8 } }))
  t.notOk(reached({ ...goal, value: 1.79, goal: { type: 'at least', value: 1.8 } }))
})
