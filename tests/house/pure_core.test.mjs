// The core is pure: its archive asks the linker for no loop, socket, clock, thread or Redis.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'

const impure = /^(uv_|curl_|redis|lws_|MHD_|loop_|log_|clock_|http_|web_|socket|store_|time$|gettimeofday|clock_gettime|localtime|getrandom|rand|fopen|open$|read$|write$|connect$|getenv$|pthread_)/

test('the core needs nothing but memory, text and JSON', () => {
  const symbols = execFileSync('nm', ['--undefined-only', '--format=posix', process.env.LINLI_CORE], { encoding: 'utf8' })
    .split('\n').map((line) => line.split(' ')[0]).filter(Boolean)
  assert.ok(symbols.includes('arena_alloc'), 'the archive was read')
  assert.deepEqual(symbols.filter((name) => impure.test(name)), [])
})
