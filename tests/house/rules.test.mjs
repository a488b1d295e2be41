// The house polices itself: which folder may include which, what no file may call, who may know a
// platform's name. Rules are rows; a rule that no file could break would not be worth its row.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'

const root = process.env.LINLI_SOURCE ?? new URL('../..', import.meta.url).pathname

function* sources(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.[ch]$/.test(entry.name)) yield path
  }
}

const files = ['base', 'config', 'state', 'adapters', 'bot'].flatMap((folder) => [...sources(folder)])
const read = (path) => readFileSync(join(root, path), 'utf8')
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, ' ')).replace(/\/\/.*/g, '')
const lineOf = (text, index) => text.slice(0, index).split('\n').length

// folder prefix → what it may include of the house (longest prefix wins)
const arrows = {
  'base/': ['base/'],
  'config/': ['base/', 'config/'],
  'state/': ['base/', 'config/', 'state/'],
  'adapters/': ['base/', 'config/', 'adapters/'],
  'bot/run/': ['base/', 'config/', 'state/', 'adapters/', 'bot/'],
  'bot/': ['base/arena.h', 'base/buf.h', 'base/civil.h', 'base/error.h', 'base/text.h', 'config/',
    'state/commit.h', 'adapters/message.h', 'bot/'],
}

function mayInclude(path) {
  const prefix = Object.keys(arrows).filter((p) => path.startsWith(p)).sort((a, b) => b.length - a.length)[0]
  return arrows[prefix]
}

test('includes follow the arrows', () => {
  const broken = []
  for (const path of files) {
    for (const [, name] of read(path).matchAll(/^#include "([^"]+)"/gm)) {
      if (name === 'text_ids.h') continue // generated from the English locale
      const allowed = mayInclude(path)
      const core = path.startsWith('bot/') && !path.startsWith('bot/run/')
      if (!allowed.some((p) => name.startsWith(p)) || (core && name.startsWith('bot/run/')))
        broken.push(`${path} includes ${name}`)
    }
  }
  assert.deepEqual(broken, [])
})

// what → who may all the same
const banned = [
  [/\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|tmpnam|system)\s*\(/g, []],
  [/\b(malloc|calloc|realloc|strdup|strndup)\s*\(/g, ['base/arena.c']],
  [/\b(time|gettimeofday|clock_gettime|localtime|localtime_r|gmtime)\s*\(/g, ['base/clock.c']],
  [/#include <time\.h>/g, ['base/clock.c']],
  [/\b(usleep|nanosleep|sleep)\s*\(/g, []],
  [/\b(printf|puts|putchar)\s*\(/g, ['bot/run/', 'base/log.c', 'config/text_ids.c', 'config/locale_check.c']],
  [/#include <(uv|curl|hiredis|libwebsockets|microhttpd|sodium|openssl)/g, ['base/loop', 'adapters/', 'state/', 'bot/run/daemon.c']],
]

test('no file calls what the house does not use', () => {
  const broken = []
  for (const path of files) {
    const text = withoutComments(read(path))
    for (const [pattern, allowed] of banned) {
      if (allowed.some((p) => path.startsWith(p))) continue
      for (const hit of text.matchAll(pattern)) broken.push(`${path}:${lineOf(text, hit.index)} ${hit[0]}`)
    }
  }
  assert.deepEqual(broken, [])
})

const platforms = ['kannel', 'twilio', 'telegram', 'xmpp']

test("a platform's name stays in its own adapter", () => {
  const broken = []
  for (const path of files) {
    if (path === 'adapters/registry.c') continue
    for (const platform of platforms) {
      if (path.startsWith('adapters/') && path.includes(platform)) continue
      const text = withoutComments(read(path))
      const hit = text.search(new RegExp(`\\b${platform}`, 'i'))
      const ownHelper = platform === 'xmpp' && /adapters\/chat\/(stanza|scram|tag)/.test(path)
      if (hit >= 0 && !ownHelper) broken.push(`${path}:${lineOf(text, hit)} ${platform}`)
    }
  }
  assert.deepEqual(broken, [])
})

test('no sentence for people stands in C', () => {
  const broken = []
  for (const path of files) {
    if (path.startsWith('base/text_variants')) continue
    const text = withoutComments(read(path))
    const hit = text.search(/\p{Script=Han}/u)
    if (hit >= 0) broken.push(`${path}:${lineOf(text, hit)}`)
  }
  assert.deepEqual(broken, [])
})

test('every file says first what happens in it', () => {
  assert.deepEqual(files.filter((path) => !/^\/\* \S.*[a-z]/.test(read(path))), [])
})

test('no file and no function has grown out of hand', () => {
  const broken = []
  for (const path of files) {
    const lines = read(path).split('\n')
    if (lines.length > 800) broken.push(`${path}: ${lines.length} lines`)
    let start = 0
    lines.forEach((line, i) => {
      if (line === '{') start = i
      if (line === '}' && start && i - start > 100) broken.push(`${path}:${start}: a function of ${i - start} lines`)
    })
  }
  assert.deepEqual(broken, [])
})
