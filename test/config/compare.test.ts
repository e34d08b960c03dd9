import t from 'tap'
import type { Config } from '../../src/config/types.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/config/load.js'
import { diskFiles } from '../../src/config/files.js'
import { needRestart, sameValue } from '../../src/config/compare.js'
import { asTheyWere, recorded } from '../../src/config/texts.js'

const file = fileURLToPath(new URL('wrong/files/example.yaml', import.meta.url))
const YAML = `
listeners: [{ http: { port: 9000 } }]
upstream:
  endpoint: 'https://s3.example.com'
  region: us-east-1
  credentials: { accessKeyId: AAA, secretAccessKey: { file: secret } }
identities: [{ name: app, accessKeyId: APP, secretAccessKey: { file: secret }, grants: [{ bucket: '*', permissions: [read] }] }]
rules: [{ bucket: '*', keyring: none }]
`

function load(text: string, secret = 'one'): Config {
  const readText = (path: string) => (path === file ? text : secret)
  const result = loadConfig(file, {}, { readText, kindOf: diskFiles.kindOf })
  if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
  return result.config
}

t.test('secrets are told apart, and the same ones are the same', async (t) => {
  t.ok(sameValue(load(YAML), load(YAML)))
  t.notOk(sameValue(load(YAML), load(YAML, 'two')))
  t.notOk(sameValue(load(YAML).identities, load(YAML, 'two').identities))
  t.notOk(sameValue({ a: new SecretAccessKey('x') }, { a: new SecretAccessKey('y') }))
})

t.test('what needs a restart is named, what does not is not', async (t) => {
  const before = load(YAML)
  const change = (from: string, to: string) => needRestart(before, load(YAML.replace(from, to)))
  t.strictSame(needRestart(before, load(YAML, 'two')), [], 'credentials of the upstream and of clients')
  t.strictSame(change('keyring: none }', 'keyring: none, clientKeys: relay }'), [])
  t.strictSame(change('name: app,', 'name: other, class: team,'), [])
  t.strictSame(
    change('\nrules', '\nlog: { level: debug }\nbaseDomains: [s3.example.com]\nclientRegions: [eu-west-1]\nrules'),
    [],
  )
  t.strictSame(change('port: 9000', 'port: 9001'), ['listeners'])
  t.strictSame(change('region: us-east-1', 'region: eu-west-1'), ['upstream.region'])
  t.strictSame(change('s3.example.com', 's3.example.org'), ['upstream.endpoint'])
  const all =
    '\nworkers: 2\nadmin: { port: 9002 }\naudit: { stdout: true }\ntimeouts: { drain: 5s }\nrememberedObjects: 7\nrules'
  t.strictSame([...change('\nrules', all)].sort(), ['admin', 'audit', 'rememberedObjects', 'timeouts', 'workers'])
})

t.test(
  'a configuration can be made again of the texts that it was read from, whatever the files hold by now',
  async (t) => {
    const texts = new Map([[file, YAML]])
    const readText = (path: string) => texts.get(path) ?? 'one'
    const recording = recorded({ readText, kindOf: diskFiles.kindOf })
    const first = loadConfig(file, {}, recording)
    texts.set(file, 'broken: [')
    const again = loadConfig(file, {}, asTheyWere(recording.seen, { readText, kindOf: diskFiles.kindOf }))
    t.ok(first.type === 'config' && again.type === 'config' && sameValue(first.config, again.config))
    t.equal(recording.seen.size, 2)
    t.throws(() => asTheyWere(new Map(), diskFiles).readText(file))
  },
)
