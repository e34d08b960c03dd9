// The tests of the transport again, with http-proxy's own pass in place of ours (docs/adr/0007).
process.env['SSEC_PROXY_TEST_PASS'] = 'http-proxy'
for (const name of ['agents', 'body-pump', 'exchange', 'final-request', 'http-proxy-transport'])
  await import(`../upstream/${name}.test.js`)
