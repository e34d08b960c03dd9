import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { diskFiles } from '../../src/config/files.js'
import { formatProblem, loadConfig } from '../../src/config/load.js'

const text = (secret: string) => `listeners: [{ http: { port: 9000 } }]
upstream: { endpoint: 'https://s3.example.com', region: us-east-1 }
identities:
  - name: app
    accessKeyId: APP
    secretAccessKey: { file: ${secret} }
    grants: [{ bucket: '*', permissions: [read] }]
rules: [{ bucket: '*', keyring: none }]
`

t.test('a configuration in a directory, read from another', async (t) => {
  const directory = t.testdir({ 'proxy.yaml': text('secrets/app'), secrets: { app: 'value\n' } })
  const result = loadConfig(join(directory, 'proxy.yaml'), {})
  if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
  const { authentication } = result.config.identities[0]!
  t.equal(authentication.type === 'access-key' && authentication.secretAccessKey.reveal(), 'value')
})

t.test('problems come in the order of the file, with their lines', async (t) => {
  const directory = t.testdir({ 'proxy.yaml': `workers: 0\n${text('gone')}log: { level: 1 }\n` })
  const result = loadConfig(join(directory, 'proxy.yaml'), { NODE_TLS_REJECT_UNAUTHORIZED: '0' })
  const lines = result.type === 'problems' ? result.problems.map(formatProblem) : []
  t.match(lines, [
    /^env\.NODE_TLS_REJECT_UNAUTHORIZED: .*[^)]$/,
    /^workers: must be at least 1 \(line 1\)$/,
    /^identities\[0\]\.secretAccessKey\.file: cannot be read: no such file .* \(line 7\)$/,
    /^log\.level: .* \(line 10\)$/,
  ])
})

t.test('a file that is not there, that is a directory, that is no YAML', async (t) => {
  const directory = t.testdir({ 'broken.yaml': 'a: [\n', folder: {} })
  const first = (name: string) => {
    const result = loadConfig(join(directory, name), {})
    return result.type === 'problems' ? result.problems.map(formatProblem) : []
  }
  t.same(first('gone.yaml'), [`${join(directory, 'gone.yaml')}: cannot be read: no such file`])
  t.same(first('folder'), [`${join(directory, 'folder')}: cannot be read: is a directory`])
  t.match(first('broken.yaml'), [/^2:1: /])
})

t.test('a byte order mark is no part of the text', async (t) => {
  const directory = t.testdir({ 'proxy.yaml': `\ufeff${text('app')}`, app: 'value' })
  t.equal(loadConfig(join(directory, 'proxy.yaml'), {}).type, 'config')
})

t.test('kinds of files', async (t) => {
  const directory = t.testdir({ file: '' })
  mkdirSync(join(directory, 'folder'))
  writeFileSync(join(directory, 'folder', 'x'), '')
  t.equal(diskFiles.kindOf(join(directory, 'file')), 'file')
  t.equal(diskFiles.kindOf(join(directory, 'folder')), 'directory')
  t.equal(diskFiles.kindOf('/dev/null'), 'other')
  t.equal(diskFiles.kindOf(join(directory, 'gone')), 'missing')
  t.equal(diskFiles.kindOf(join(directory, 'file', 'below')), 'missing')
})
