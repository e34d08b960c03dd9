import fc from 'fast-check'
import t from 'tap'
import { hostProblem, isHostName, isLoopback } from '../../src/config/host.js'

t.test('loopback', async (t) => {
  for (const host of [
    '127.0.0.1',
    '127.255.255.254',
    '127.0.0.0',
    '::1',
    '0:0:0:0:0:0:0:1',
    'localhost',
    'LocalHost',
  ]) {
    t.ok(isLoopback(host), host)
  }
  const others = ['0.0.0.0', '128.0.0.1', '126.255.255.255', '::', '::2', '::ffff:10.0.0.1', '169.254.0.1', '10.0.0.1']
  for (const host of [
    ...others,
    '',
    '127.1',
    '127.0.0.1.example.com',
    'localhost.example.com',
    'localhost.',
    '0177.0.0.1',
  ]) {
    t.notOk(isLoopback(host), host)
  }
})

t.test('127.0.0.0/8 and no other IPv4 network', async () => {
  fc.assert(fc.property(fc.ipV4(), (host) => isLoopback(host) === host.startsWith('127.')))
})

t.test('host names', async (t) => {
  for (const name of [
    'a',
    'localhost',
    's3.example.com',
    'S3.Example.COM',
    '1.example.com',
    'a-b.c',
    'xn--exmple-cua.com',
  ]) {
    t.ok(isHostName(name), name)
  }
  const wrong = [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'a_b',
    'a b',
    '1',
    '127.1',
    '127.0.0.1',
    '0x7f000001',
    'a.0x',
    'a.1',
    'ä.com',
    '*.a',
    'a:1',
  ]
  for (const name of [...wrong, 'a'.repeat(64), `${'a.'.repeat(126)}ab`, 'a\n', 'a/b', '::1'])
    t.notOk(isHostName(name), name)
  t.ok(isHostName('a'.repeat(63)))
})

t.test('what a listener can have', async (t) => {
  for (const host of ['0.0.0.0', '::', '::1', 'localhost', 's3.internal']) t.equal(hostProblem(host), 'ok')
  t.match(hostProblem('[::1]'), /without brackets/)
  t.match(hostProblem('localhost:9000'), /port has a field/)
  t.match(hostProblem(''), /must be an IP address/)
})
