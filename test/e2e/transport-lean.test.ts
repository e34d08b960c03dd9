// The tests of the transport again, with the lean pass in place of http-proxy's own (docs/adr/0007).
process.env['SSEC_PROXY_TEST_PASS'] = 'lean'
for (const name of ['agents', 'exchange', 'http-proxy-transport']) await import(`../upstream/${name}.test.js`)
