// Loaded into a node process that was started with --expose-gc and an IPC channel, before its own program: when asked, it
// collects garbage and says what is left. It changes nothing else, and its channel does not keep the process.
if (process.send !== undefined) {
  process.on('message', (message) => {
    if (message !== 'ssec-proxy/look') return
    globalThis.gc()
    // a second time: what finalizers of the first let go
    setTimeout(() => {
      globalThis.gc()
      const { heapUsed, external, rss } = process.memoryUsage()
      const handles = {}
      for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1
      process.send({ type: 'ssec-proxy/seen', heapUsed, external, rss, handles })
    }, 50)
  })
  process.channel.unref()
}
